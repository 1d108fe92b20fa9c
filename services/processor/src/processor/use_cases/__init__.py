"""Use cases: what becomes of the records of a partition."""
