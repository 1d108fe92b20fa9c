"""Bodies and queries of the management routes."""
