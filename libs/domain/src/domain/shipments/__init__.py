"""Shipments: statuses, commands, and what a command does to a shipment."""
