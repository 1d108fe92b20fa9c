"""OpenAPI descriptions of the routes of query-api, by method and path."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.openapi.operations import Key, Operation
from query_api.openapi import (
    action_operations,
    document_operations,
    login_operations,
    partition_operations,
    public_operations,
    reading_operations,
    user_operations,
)

OPERATIONS: Final[Mapping[Key, Operation]] = MappingProxyType(
    {
        **login_operations.OPERATIONS,
        **user_operations.OPERATIONS,
        **document_operations.OPERATIONS,
        **partition_operations.OPERATIONS,
        **action_operations.OPERATIONS,
        **reading_operations.OPERATIONS,
        **public_operations.OPERATIONS,
    }
)
