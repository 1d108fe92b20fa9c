"""The site of the processor's tests, and a day of all that can happen, applied and compared."""

from tests.integration.processor.conftest import site

__all__ = ["site"]
