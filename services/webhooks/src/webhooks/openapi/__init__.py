"""Descriptions of the management routes, for OpenAPI."""
