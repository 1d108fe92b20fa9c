"""Upload of events from a file: read it, show its first rows, send it in parts, return it with the errors."""
