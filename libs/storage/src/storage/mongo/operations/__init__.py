"""Stores of what people operate: dead letters, quarantined shipments, the log of actions, and links."""
