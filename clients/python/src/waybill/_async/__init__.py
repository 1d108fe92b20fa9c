"""Asynchronous client, written by hand; `make contract` makes `waybill._sync` of it."""
