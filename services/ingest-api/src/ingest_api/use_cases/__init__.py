"""Use cases: what a request does, without HTTP."""
