"""Kafka adapters of Waybill."""
