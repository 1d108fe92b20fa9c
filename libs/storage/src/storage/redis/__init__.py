"""Waybill on Redis."""
