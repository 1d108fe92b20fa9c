"""Sending: deliveries that are due are attempted, endpoint by endpoint."""
