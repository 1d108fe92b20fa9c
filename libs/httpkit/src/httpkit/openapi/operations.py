"""Descriptions of routes for API clients: the hand-written half of the OpenAPI document.

The other half, the schemas, comes from the models that validate. `httpkit.openapi.document` combines both.
A service has its descriptions in its package `openapi`, keyed by method and path; `described` rejects a route
without a description, and a description without a route.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from httpkit.request.negotiation import MERGE_PATCH
from httpkit.response.error_codes import ErrorCode
from httpkit.routes import Route

JSON: Final = "application/json"
_PATTERN: Final = re.compile(r":[^}]*}")
TEXT: Final = TypeAdapter(str)

Key = tuple[str, str]
"""Method and path of a route."""


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type.

    Attributes:
        adapter: the model: of a request, the very one that validates it.
        examples: by name; tools show the first.
    """

    adapter: TypeAdapter[Any]
    examples: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path parameter or a request header; query parameters come from the query's model."""

    name: str
    place: Literal["path", "header"]
    description: str
    adapter: TypeAdapter[Any]
    example: Any


@dataclass(frozen=True, slots=True)
class Link:
    """A link from a response to another operation, with its parameters as runtime expressions."""

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """A successful response.

    Attributes:
        content: by media type; empty for a response without a body.
        headers: names from `httpkit.openapi.document.HEADERS`.
    """

    description: str
    content: Mapping[str, Content] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route, as API clients see it.

    Attributes:
        name: the `operationId`, fit as a function name of a client library.
        body: the request body, by media type; empty if there is none.
        query: the model that validates the query.
        query_examples: example values of some parameters.
        errors: in addition to those of every route of its kind (see `httpkit.openapi.document`).
        errors_at: errors with another status here than in `httpkit.response.errors.STATUS`.
    """

    name: str
    tag: str
    summary: str
    description: str = ""
    body: Mapping[str, Content] = field(default_factory=dict)
    query: TypeAdapter[Any] | None = None
    query_examples: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    responses: Mapping[int, ResponseSpec]
    errors: tuple[ErrorCode, ...] = ()
    errors_at: Mapping[int, tuple[ErrorCode, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """One message that a service sends to receivers of webhooks.

    Attributes:
        type: its type; the name of the webhook.
        name: the `operationId`.
        content: the body.
        headers: of the request.
        responses: descriptions of what the receiver answers, by status.
    """

    type: str
    name: str
    tag: str
    summary: str
    description: str
    content: Content
    headers: tuple[Parameter, ...]
    responses: Mapping[int | str, str]


class UndescribedRoute(Exception):
    """A route has no description, or a description no route."""


def json_content(adapter: TypeAdapter[Any], **examples: object) -> dict[str, Content]:
    """Describe a JSON body."""
    return {JSON: Content(adapter, examples)}


def patch_content(adapter: TypeAdapter[Any], **examples: object) -> dict[str, Content]:
    """Describe a JSON body of PATCH, which is merged under each of its media types."""
    return dict.fromkeys((JSON, MERGE_PATCH), Content(adapter, examples))


def described(routes: Iterable[Route], operations: Mapping[Key, Operation]) -> list[tuple[Route, Operation]]:
    """Pair routes with their descriptions.

    Raises:
        UndescribedRoute: they do not match one to one.
    """
    by_key = {(route.method, public_path(route)): route for route in routes}
    unmatched = by_key.keys() ^ operations.keys()
    if unmatched:
        raise UndescribedRoute(", ".join(f"{method} {path}" for method, path in sorted(unmatched)))
    return [(route, operations[key]) for key, route in by_key.items()]


def public_path(route: Route) -> str:
    """Return the public path of a route, without the patterns of the router."""
    return _PATTERN.sub("}", route.path)
