"""The log of all commands: its generations of topics, and where a key belongs (ADR 0037)."""
