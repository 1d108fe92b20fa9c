"""The producer, and the topics that are written with it."""
