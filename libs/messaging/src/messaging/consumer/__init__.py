"""The consumer: one worker per assigned partition, retried in place."""
