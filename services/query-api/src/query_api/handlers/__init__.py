"""Handlers, by what they are about: parse, ask a port, render."""
