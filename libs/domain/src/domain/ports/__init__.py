"""Ports: what the services need from the outside; adapters live in `messaging` and `storage`."""
