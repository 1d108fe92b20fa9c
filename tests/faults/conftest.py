"""A site per test of the matrix."""

from tests.integration.processor.conftest import site

__all__ = ["site"]
