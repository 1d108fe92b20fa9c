"""The routes of the query API as their callers see them, by method and path."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from httpkit.operations import Key, Operation
from query_api.contract import access, accounts, documents, line, operators, reading

OPERATIONS: Final[Mapping[Key, Operation]] = MappingProxyType(
    {
        **access.OPERATIONS,
        **accounts.OPERATIONS,
        **documents.OPERATIONS,
        **line.OPERATIONS,
        **operators.OPERATIONS,
        **reading.OPERATIONS,
    }
)
