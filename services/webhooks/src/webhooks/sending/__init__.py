"""Sending: one attempt at a delivery, signed, and to permitted addresses only."""
