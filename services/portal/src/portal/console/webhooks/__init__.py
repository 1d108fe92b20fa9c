"""Pages about webhooks: endpoints, what they were sent, and what can be done to them."""
