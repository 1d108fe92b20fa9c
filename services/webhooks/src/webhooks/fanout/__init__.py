"""Fan-out: changes become messages, and deliveries to the endpoints that want them."""
