"""HTTP handlers: parse, call the use case, render."""
