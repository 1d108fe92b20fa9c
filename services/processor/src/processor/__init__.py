"""Processor: applies events to shipments."""
