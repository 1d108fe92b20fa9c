"""Writing responses: JSON and errors."""
