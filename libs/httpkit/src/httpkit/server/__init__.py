"""The HTTP server: app, connections, health."""
