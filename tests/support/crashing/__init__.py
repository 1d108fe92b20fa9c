"""The real processor, killed with -9 at a named point: `python -m tests.support.crashing`."""
