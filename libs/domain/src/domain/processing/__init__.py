"""Processing of batches: duplicates, halts and dead letters."""
