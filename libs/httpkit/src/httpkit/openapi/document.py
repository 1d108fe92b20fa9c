"""The OpenAPI 3.1 document: routes, their descriptions, and the schemas of the models that validate."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NotRequired

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from domain.access.permissions import PERMISSIONS, Permission
from httpkit.budgets import Budget, default_budget
from httpkit.openapi.error_catalogue import ERROR_CATALOGUE
from httpkit.openapi.identifiers import Instant
from httpkit.openapi.operations import (
    JSON,
    Content,
    Operation,
    Parameter,
    ResponseSpec,
    WebhookMessage,
    public_path,
)
from httpkit.openapi.response_headers import BY_STATUS, HEADERS, OF_LIMITED
from httpkit.openapi.schemas import PREFIX, schemas_of
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import STATUS
from httpkit.routes import Route

Json = dict[str, Any]
Described = tuple[Route, Operation]

_HEADER: Final = "#/components/headers/"

EXAMPLE_TIME: Final = "2026-11-02T14:15:02.118Z"

_EVERYWHERE: Final = (ErrorCode.INTERNAL_ERROR, ErrorCode.SERVICE_UNAVAILABLE)
_GUARDED: Final = (ErrorCode.AUTHENTICATION_REQUIRED, ErrorCode.FORBIDDEN, ErrorCode.INVALID_TOKEN)
_WITH_BODY: Final = (
    ErrorCode.INVALID_JSON,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.VALIDATION_ERROR,
)
_WITH_QUERY: Final = (ErrorCode.VALIDATION_ERROR,)
_READS: Final = frozenset({"GET", "HEAD"})


class ErrorDetail(TypedDict):
    """One fault of a request."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic's way with a TypedDict
    pointer: str
    message: str


class Error(TypedDict):
    """The body of every error; INVALID_TRANSITION has `held_until` if the event came early and is held."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    error: ErrorCode
    message: str
    status_code: int
    timestamp: Instant
    details: NotRequired[list[ErrorDetail]]
    held_until: NotRequired[Instant]


_ERROR: Final = TypeAdapter(Error)


def document(
    info: Json,
    tags: Mapping[str, str],
    operations: Iterable[Described],
    webhooks: Iterable[WebhookMessage] = (),
) -> Json:
    """Return the document of all `operations`.

    Args:
        info: the document's `info`.
        tags: descriptions by name, in the order of the document.
        operations: routes of any number of services.
        webhooks: messages that the services send.
    """
    chosen = sorted(operations, key=lambda each: (list(tags).index(each[1].tag), each[0].path))
    messages = list(webhooks)
    schemas = _Schemas([operation for _, operation in chosen], messages)
    paths: dict[str, Json] = {}
    for route, operation in chosen:
        paths.setdefault(public_path(route), {})[route.method.lower()] = _operation(route, operation, schemas)
    sent = {message.type: {"post": _webhook(message, schemas)} for message in messages}
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
        "paths": paths,
        **({"webhooks": sent} if sent else {}),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "headers": {name: dict(HEADERS[name]) for name in sorted(_references(paths, _HEADER))},
            "schemas": schemas.referred_to([paths, sent]),
        },
    }


class _Schemas:
    """The schemas of all models that the operations use, each model once."""

    def __init__(self, operations: Sequence[Operation], messages: Sequence[WebhookMessage]) -> None:
        adapters = {id(adapter): adapter for each in operations for adapter in _adapters(each)}
        adapters |= {id(each.content.adapter): each.content.adapter for each in messages}
        adapters |= {id(each.adapter): each.adapter for message in messages for each in message.headers}
        adapters[id(_ERROR)] = _ERROR
        self._by_adapter, self.definitions = schemas_of(adapters.items())

    def of(self, adapter: TypeAdapter[Any]) -> Json:
        return self._by_adapter[id(adapter)]

    def properties(self, adapter: TypeAdapter[Any]) -> tuple[dict[str, Json], Sequence[str]]:
        """Return the properties of a query's model, and the required ones."""
        schema = self.of(adapter)
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix(PREFIX)]
        return schema.get("properties", {}), schema.get("required", ())

    def referred_to(self, part: object) -> dict[str, Json]:
        """Return the definitions that a part refers to; the models of queries are not among them."""
        needed: set[str] = set()
        more = set(_references(part, PREFIX))
        while more:
            needed |= more
            more = {name for known in more for name in _references(self.definitions[known], PREFIX)} - needed
        return {name: schema for name, schema in self.definitions.items() if name in needed}


def _references(node: object, prefix: str) -> set[str]:
    """Return the names of the components under `prefix` that a part of the document refers to."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith(prefix):
                found.add(reference.removeprefix(prefix))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def _adapters(operation: Operation) -> Iterable[TypeAdapter[Any]]:
    for content in operation.body.values():
        yield content.adapter
    for response in operation.responses.values():
        for content in response.content.values():
            yield content.adapter
    for parameter in operation.parameters:
        yield parameter.adapter
    if operation.query is not None:
        yield operation.query


def _operation(route: Route, operation: Operation, schemas: _Schemas) -> Json:
    made: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _description(route.permission, operation.description),
        "security": [] if route.permission is None else [{"bearer": []}],
        "x-permission": route.permission,
        "parameters": [*_parameters(operation.parameters, schemas), *_query(operation, schemas)],
        "responses": _responses(route, operation, schemas),
    }
    if operation.body:
        made["requestBody"] = {"required": True, "content": _content(operation.body, schemas)}
    return {name: value for name, value in made.items() if value or name == "security"}


def _webhook(message: WebhookMessage, schemas: _Schemas) -> Json:
    return {
        "operationId": message.name,
        "tags": [message.tag],
        "summary": message.summary,
        "description": message.description,
        "security": [],
        "parameters": [{**each, "required": True} for each in _parameters(message.headers, schemas)],
        "requestBody": {"required": True, "content": _content({JSON: message.content}, schemas)},
        "responses": {str(status): {"description": text} for status, text in message.responses.items()},
    }


def _description(permission: Permission | None, text: str) -> str:
    if permission is None:
        access = "Public: no token is required."
    else:
        roles = ", ".join(role for role, allowed in PERMISSIONS.items() if permission in allowed)
        access = f"Requires the permission `{permission}`: {roles}."
    return f"{text}\n\n{access}".strip()


def _parameters(parameters: Iterable[Parameter], schemas: _Schemas) -> Iterable[Json]:
    for each in parameters:
        yield {
            "name": each.name,
            "in": each.place,
            "required": each.place == "path",
            "description": each.description,
            "schema": schemas.of(each.adapter),
            "example": each.example,
        }


def _query(operation: Operation, schemas: _Schemas) -> Iterable[Json]:
    if operation.query is None:
        return
    properties, required = schemas.properties(operation.query)
    for name, schema in properties.items():
        made: Json = {"name": name, "in": "query", "required": name in required, "schema": _present(schema)}
        if made["schema"].get("type") == "array":
            # One name, its values separated by commas, as the services parse it.
            made |= {"style": "form", "explode": False}
        described = [
            each["description"] for each in (schema, *schema.get("anyOf", ())) if "description" in each
        ]
        if described:
            made["description"] = described[0]
        if name in operation.query_examples:
            made["example"] = operation.query_examples[name]
        yield made


def _present(schema: Json) -> Json:
    """Return the schema of a parameter without null: parameters are absent, never null."""
    kept = {
        key: value
        for key, value in schema.items()
        if key not in ("anyOf", "description") and not (key == "default" and value in (None, []))
    }
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) > 1:
        kept["anyOf"] = choices
    if len(choices) == 1:
        kept |= {key: value for key, value in choices[0].items() if key != "description"}
    return kept


def _content(content: Mapping[str, Content], schemas: _Schemas) -> Json:
    return {
        media_type: {
            "schema": schemas.of(each.adapter),
            "examples": {name: {"value": value} for name, value in each.examples.items()},
        }
        for media_type, each in content.items()
    }


def _responses(route: Route, operation: Operation, schemas: _Schemas) -> Json:
    made = {str(status): _response(response, schemas) for status, response in operation.responses.items()}
    for status, codes in _errors(route, operation).items():
        made.setdefault(str(status), _error_response(status, codes, schemas))
    if _is_limited(route):
        for response in made.values():
            response["headers"] = response.get("headers", {}) | _headers(OF_LIMITED)
    return dict(sorted(made.items()))


def _errors(route: Route, operation: Operation) -> dict[int, list[ErrorCode]]:
    """Return the errors of a route, by status."""
    codes = {*_EVERYWHERE, *operation.errors}
    if route.is_json:
        codes.add(ErrorCode.NOT_ACCEPTABLE)
    if _is_limited(route):
        codes.add(ErrorCode.RATE_LIMITED)
    if route.permission is not None:
        codes.update(_GUARDED)
    if operation.body:
        codes.update(_WITH_BODY)
    if operation.query is not None or route.method not in _READS:
        codes.update(_WITH_QUERY)
    at_status = [(STATUS[code], code) for code in codes]
    at_status += [(status, code) for status, several in operation.errors_at.items() for code in several]
    by_status: dict[int, list[ErrorCode]] = {}
    for status, code in sorted(at_status):
        by_status.setdefault(status, []).append(code)
    return by_status


def _is_limited(route: Route) -> bool:
    return (route.budget or default_budget(route.method, route.permission)) is not Budget.EXEMPT


def _response(response: ResponseSpec, schemas: _Schemas) -> Json:
    made: Json = {"description": response.description, "headers": _headers(response.headers)}
    made["content"] = _content(response.content, schemas)
    made["links"] = {
        name: {"operationId": link.operation, "parameters": dict(link.parameters)}
        for name, link in response.links.items()
    }
    return {name: value for name, value in made.items() if value}


def _error_response(status: int, codes: Sequence[ErrorCode], schemas: _Schemas) -> Json:
    examples = {code.value: {"value": _error_example(code, status)} for code in codes}
    made: Json = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "headers": _headers(BY_STATUS.get(status, ())),
        "content": {JSON: {"schema": schemas.of(_ERROR), "examples": examples}},
    }
    return {name: value for name, value in made.items() if value}


def _error_example(code: ErrorCode, status: int) -> Json:
    body: Json = {
        "error": code,
        "message": ERROR_CATALOGUE[code],
        "status_code": status,
        "timestamp": EXAMPLE_TIME,
    }
    if code is ErrorCode.VALIDATION_ERROR:
        body["details"] = [{"pointer": "/source", "message": "Field required"}]
    return body


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"{_HEADER}{name}"} for name in names}
