"""Value classes created by the million: immutable to the type checker, cheap at run time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """Make a slotted dataclass that is immutable to mypy.

    `frozen=True` would enforce it at run time too, at 0.13 µs a field of each instance: 4 µs of each event.
    """
    return dataclass(slots=True, unsafe_hash=True, kw_only=kw_only)
