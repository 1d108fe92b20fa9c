"""Ports of the services; adapters live in `messaging` and `storage`."""
