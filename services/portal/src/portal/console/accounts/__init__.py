"""Pages about accounts: users and their API keys, and one's own."""
