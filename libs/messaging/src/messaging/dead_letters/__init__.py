"""The dead-letter topic: publishing and replay."""
