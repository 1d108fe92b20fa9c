"""OpenAPI descriptions of the routes of ingest-api, by method and path."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.openapi.operations import Key, Operation
from ingest_api.openapi import dead_letter_operations, event_operations, shipment_operations

OPERATIONS: Final[Mapping[Key, Operation]] = MappingProxyType(
    {**dead_letter_operations.OPERATIONS, **event_operations.OPERATIONS, **shipment_operations.OPERATIONS}
)
