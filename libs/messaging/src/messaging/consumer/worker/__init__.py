"""The worker of one partition: its records, its state, and retrying in place."""
