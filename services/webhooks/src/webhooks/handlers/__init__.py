"""Handlers of the management routes."""
