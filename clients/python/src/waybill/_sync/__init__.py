"""Synchronous client, made of `waybill._async` by `make contract`: do not edit it."""
