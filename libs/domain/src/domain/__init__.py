"""Waybill's rules, as plain functions: standard library only."""
