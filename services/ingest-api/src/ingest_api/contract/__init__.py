"""The routes of ingest-api as their callers see them, by method and path."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.operations import Key, Operation
from ingest_api.contract import dead_letters, events, shipments

OPERATIONS: Final[Mapping[Key, Operation]] = MappingProxyType(
    {**dead_letters.OPERATIONS, **events.OPERATIONS, **shipments.OPERATIONS}
)
