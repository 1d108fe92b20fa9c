"""The OpenAPI document, generated from routes and models."""
