"""Lists: their queries, pages with cursors, and a bound on those read at once."""
