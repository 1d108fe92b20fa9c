"""The consumer: assigned partitions, one worker each, retried in place."""
