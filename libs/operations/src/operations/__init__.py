"""Operators' commands for a running Waybill: over its HTTP API alone."""
