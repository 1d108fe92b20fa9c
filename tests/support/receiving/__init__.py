"""Receivers of webhooks: real servers on loopback, and the names that lead to them."""
