"""Schemas of queries and bodies."""
