"""Middlewares: authentication, rate limits, CORS, metrics."""
