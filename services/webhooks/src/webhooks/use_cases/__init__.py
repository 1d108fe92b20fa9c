"""Use cases of the management routes."""
