"""The directory that a stack lives in, and its contents."""
