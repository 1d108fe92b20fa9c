"""Access: roles, permissions, ownership, accounts and rate limits."""
