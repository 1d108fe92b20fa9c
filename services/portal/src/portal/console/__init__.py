"""Console, for operators and clients: each act is a request to the API in the name of its user."""
