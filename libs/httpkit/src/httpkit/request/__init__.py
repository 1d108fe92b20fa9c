"""Reading requests: headers, queries, bodies, within bounds."""
