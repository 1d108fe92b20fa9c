"""The dead-letter topic: written, read and replayed."""
