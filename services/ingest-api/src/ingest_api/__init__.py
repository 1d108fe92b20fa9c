"""Ingest API: accepts events and shipments over HTTP and writes them to Kafka."""
