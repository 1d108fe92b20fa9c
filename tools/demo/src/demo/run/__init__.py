"""One run of the demo against a stack."""
