"""Stores of operators: dead letters, quarantined shipments, and the log of their actions."""
