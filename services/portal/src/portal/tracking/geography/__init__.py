"""Geography of maps: the outline of land, and the part of it that a map shows."""
