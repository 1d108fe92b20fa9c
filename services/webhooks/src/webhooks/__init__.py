"""Webhooks: clients' endpoints are told of changes, in order, whoever is slow."""
