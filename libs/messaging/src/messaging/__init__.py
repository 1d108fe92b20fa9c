"""Waybill on Kafka."""
