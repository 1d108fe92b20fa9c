"""Translation of MongoDB driver errors to errors of the ports."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import PyMongoError

from domain.errors import StoreUnavailable


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StoreUnavailable` for any error of the driver."""
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailable(f"MongoDB: {type(error).__name__}: {error}") from error
