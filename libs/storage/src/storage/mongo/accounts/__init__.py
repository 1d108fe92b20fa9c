"""Users, API keys and revoked tokens."""
