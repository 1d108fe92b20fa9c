"""Webhooks: endpoints of clients are told of changes, in order, and a slow one delays no other."""
