"""The demo's data set and the totals that it must come to."""
