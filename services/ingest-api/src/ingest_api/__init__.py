"""Ingest API: accepts events and shipments over HTTP, writes them to Kafka."""
