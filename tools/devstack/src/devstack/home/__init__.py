"""The directory that a stack lives in, and what lies there."""
