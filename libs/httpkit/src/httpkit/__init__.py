"""Waybill over HTTP."""
