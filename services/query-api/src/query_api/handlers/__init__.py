"""HTTP handlers: parse, call a use case or a port, render."""
