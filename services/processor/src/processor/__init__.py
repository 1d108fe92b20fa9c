"""Processor: the service that applies commands to shipments."""
