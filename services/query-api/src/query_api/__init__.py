"""Query API: reads shipments and events, logs users in."""
