"""Waybill on one machine: real stores and services as supervised child processes."""
