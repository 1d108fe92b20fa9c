"""How a route is described to those who call it: the half of the contract that people write.

The other half, the schemas, comes from the models that validate. `httpkit.openapi.document` makes a
document of both.
A service keeps its descriptions in `contract`, keyed by method and path; `described` refuses a route without
one, and one without a route.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from domain.errors import ErrorCode
from httpkit.request.negotiation import MERGE_PATCH
from httpkit.routes import Route

JSON: Final = "application/json"
_PATTERN: Final = re.compile(r":[^}]*}")
TEXT: Final = TypeAdapter(str)

Key = tuple[str, str]
"""Method and path of a route."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a body looks like in one media type.

    Attributes:
        adapter: the model: of a request, the very one that validates it.
        examples: by name; the first is the one that tools show.
    """

    adapter: TypeAdapter[Any]
    examples: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, or a header of the request; names in the query come from the query's model."""

    name: str
    place: Literal["path", "header"]
    description: str
    adapter: TypeAdapter[Any]
    example: Any


@dataclass(frozen=True, slots=True)
class Link:
    """Where an answer leads: another operation, and its parameters as runtime expressions."""

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """An answer that is no error.

    Attributes:
        content: by media type; empty for an answer without a body.
        headers: names from `httpkit.openapi.document.HEADERS`.
    """

    description: str
    content: Mapping[str, Content] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route, as its callers see it.

    Attributes:
        name: the `operationId`, a name for a function of a client.
        body: what the request carries, by media type; empty if nothing.
        query: the model that validates the query.
        query_examples: a value for some of its names.
        errors: beyond those that every route of its kind has (see `httpkit.openapi.document`).
        errors_at: those that have another status here than `httpkit.response.errors.STATUS` says.
    """

    name: str
    tag: str
    summary: str
    description: str = ""
    body: Mapping[str, Content] = field(default_factory=dict)
    query: TypeAdapter[Any] | None = None
    query_examples: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    replies: Mapping[int, ResponseSpec]
    errors: tuple[ErrorCode, ...] = ()
    errors_at: Mapping[int, tuple[ErrorCode, ...]] = field(default_factory=dict)


class UndescribedRoute(Exception):
    """A route has no description, or a description no route."""


def json_content(adapter: TypeAdapter[Any], **examples: object) -> dict[str, Content]:
    """Describe a JSON body."""
    return {JSON: Content(adapter, examples)}


def patch_content(adapter: TypeAdapter[Any], **examples: object) -> dict[str, Content]:
    """Describe a JSON body of PATCH, which merges whatever its media type is called."""
    return dict.fromkeys((JSON, MERGE_PATCH), Content(adapter, examples))


def described(routes: Iterable[Route], operations: Mapping[Key, Operation]) -> list[tuple[Route, Operation]]:
    """Put routes and their descriptions together.

    Raises:
        UndescribedRoute: they do not match one to one.
    """
    by_key = {(route.method, shown_path(route)): route for route in routes}
    unmatched = by_key.keys() ^ operations.keys()
    if unmatched:
        raise UndescribedRoute(", ".join(f"{method} {path}" for method, path in sorted(unmatched)))
    return [(route, operations[key]) for key, route in by_key.items()]


def shown_path(route: Route) -> str:
    """Return the path of a route as callers see it, without the patterns that the router matches by."""
    return _PATTERN.sub("}", route.path)
