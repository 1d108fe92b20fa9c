"""Tracking pages, for everybody with a tracking number."""
