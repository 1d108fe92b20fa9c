"""Query API: serves shipments and events, and logs users in."""
