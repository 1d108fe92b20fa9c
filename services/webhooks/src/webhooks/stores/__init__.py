"""Stores: the collections of webhooks in MongoDB."""
