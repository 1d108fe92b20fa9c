"""Webhooks: which changes are told to whom, when a delivery is attempted, and when an endpoint is paused."""
