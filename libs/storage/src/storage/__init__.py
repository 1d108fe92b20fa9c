"""Waybill on MongoDB and Redis."""
