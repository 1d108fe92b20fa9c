"""Use cases: processing of the records of a partition."""
