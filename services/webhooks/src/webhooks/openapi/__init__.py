"""OpenAPI descriptions of the routes of webhooks, by method and path, and of the messages that it sends."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.openapi.operations import Key, Operation
from webhooks.openapi import delivery_operations, endpoint_operations
from webhooks.openapi.messages import WEBHOOKS

__all__ = ["OPERATIONS", "WEBHOOKS"]

OPERATIONS: Final[Mapping[Key, Operation]] = MappingProxyType(
    {**endpoint_operations.OPERATIONS, **delivery_operations.OPERATIONS}
)
