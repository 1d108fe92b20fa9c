"""The demo's data set and its expected totals."""
