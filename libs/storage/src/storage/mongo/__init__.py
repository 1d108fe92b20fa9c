"""Waybill on MongoDB."""
