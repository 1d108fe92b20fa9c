"""Writes of the processor: fenced, in transactions."""
