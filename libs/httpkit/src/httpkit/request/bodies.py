"""Reading of request bodies and queries: bounded in size and time, every fault reported."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final, Protocol, TypeVar

from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from httpkit.budgets import Budget, budget_of
from httpkit.expect_continue import send_continue
from httpkit.request.gzip_bodies import NotGzip, TooLong, decompress_in_turn
from httpkit.request.json_bounds import (
    MAX_MEMBERS,
    MAX_VALUES,
    TooManyMembers,
    has_too_many_values,
    members_of,
)
from httpkit.request.negotiation import JSON, MERGE_PATCH, is_compressed, require_media_type
from httpkit.request.strict_json import ambiguity_of, invalid_number_of, is_plain, syntax_error_of
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import RETRY_SOON, ApiError, Detail, Handler
from httpkit.routes import DECLARED
from httpkit.settings import HttpSettings

HTTP_SETTINGS: Final = web.AppKey("http_settings", HttpSettings)

MEDIA_TYPES: Final = {hdrs.METH_PATCH: (JSON, MERGE_PATCH)}
"""Accepted media types of JSON, by method; for all others `application/json`."""
MAX_DETAILS: Final = 100
MAX_PARAMETERS: Final = 100
MAX_LISTED_FAULTS: Final = 1_000
_UNCHECKED_BYTES: Final = 1_024
_LONG_BYTES: Final = 64 * 1024
_AT_ONCE: Final = nullcontext()
MAX_TEXT_LENGTH: Final = 300
_WRITES: Final = frozenset({hdrs.METH_DELETE, hdrs.METH_PATCH, hdrs.METH_POST, hdrs.METH_PUT})

_MESSAGES: Final = {  # where pydantic speaks of "inputs" and "fields"
    "dict_type": "must be an object",
    "extra_forbidden": "unknown field",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "missing": "is required",
    "model_type": "must be an object",
    "string_pattern_mismatch": "has characters or a form that are not taken here",
    "string_type": "must be a string",
}

Model = TypeVar("Model")


class Meter(Protocol):
    """Meter that charges bodies to their senders, before they are parsed."""

    async def __call__(self, request: web.Request, length: int) -> None:
        """Charge a body of `length` bytes.

        Raises:
            ApiError: 429, it is too much for now.
        """


METER: Final = web.AppKey("body_meter", Meter)


class PartialBodies:
    """Count of the bytes of incomplete bodies in this process, at most `limit`.

    Received bytes count, not announced ones: to fill it, a client must send that much.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def take(self, count: int) -> None:
        """Count received bytes.

        Raises:
            ApiError: 503, the limit is reached; the bytes are not counted.
        """
        if self.held + count > self._limit:
            raise ApiError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "too many bodies are being received at the moment",
                headers={**RETRY_SOON, hdrs.CONNECTION: "close"},
            )
        self.held += count

    def release(self, count: int) -> None:
        """Stop counting bytes: the body is complete, or dropped."""
        self.held -= count


PARSING: Final = web.AppKey("parsing", asyncio.Lock)
PARTIAL_BODIES: Final = web.AppKey("partial_bodies", PartialBodies)


def bound_bodies(app: web.Application, http: HttpSettings, meter: Meter | None = None) -> None:
    """Configure the bounds and the meter of an app's bodies."""
    if meter is not None:
        app[METER] = meter
    app[HTTP_SETTINGS] = http
    app[PARSING] = asyncio.Lock()
    app[PARTIAL_BODIES] = PartialBodies(http.half_read_limit_bytes)


async def read_json(request: web.Request, adapter: TypeAdapter[Model], *, limit: int | None = None) -> Model:
    """Read the body of a request into a model.

    Args:
        request: the request; blocks for its body, at most `body_timeout_s`.
        adapter: the model; it sees the raw bytes, which is pydantic's fast path.
        limit: the longest body in bytes, below the service's `body_limit_bytes`.

    Raises:
        ApiError: 415, 413, 408, or 400 with all faults.
    """
    require_media_type(request, *MEDIA_TYPES.get(request.method, (JSON,)))
    body = await read_body(request, limit=limit)
    async with parsing(request, body):
        return parse_json(body, adapter)


def parsing(request: web.Request, body: bytes) -> AbstractAsyncContextManager[None]:
    """Parse long bodies one at a time: between two of them the event loop serves short requests."""
    if len(body) <= _LONG_BYTES:
        return _AT_ONCE
    turns: asyncio.Lock = request.app[PARSING]
    return turns


async def read_body(request: web.Request, *, limit: int | None = None) -> bytes:
    """Read the body of a request, decompress it, and charge it to its sender.

    Raises:
        ApiError: 429 if the budget is used up; 413 if it is longer than `limit`, compressed or not; 408 if it
            takes longer than `body_timeout_s`, 400 if it is truncated, 503 if too much is being received.
    """
    settings = request.app[HTTP_SETTINGS]
    bound = settings.body_limit_bytes if limit is None else min(limit, settings.body_limit_bytes)
    body = await _receive(request, bound, settings.body_timeout_s)
    if hdrs.CONTENT_ENCODING in request.headers and is_compressed(request):
        body = await _decompressed(request, body, bound)
    await _charge(request, len(body))
    return body


async def _charge(request: web.Request, length: int) -> None:
    meter = request.app.get(METER)
    if meter is not None and length:
        await meter(request, length)


async def _decompressed(request: web.Request, body: bytes, bound: int) -> bytes:
    """Decompress a body; a rejected one is charged too, because it cost the work."""
    try:
        return await decompress_in_turn(body, request.app[PARSING], bound=bound)
    except TooLong:
        await _charge(request, bound)
        raise _too_large(bound) from None
    except NotGzip as error:
        await _charge(request, error.made)
        raise ApiError(ErrorCode.INVALID_JSON, "the body is not valid gzip, or not all of it") from None


async def _receive(request: web.Request, bound: int, timeout_s: float) -> bytes:
    """Return a body as it was sent, at most `bound` bytes."""
    if (request.content_length or 0) > bound:
        raise _too_large(bound)
    try:
        # A small body arrives with the head: it needs no timer, which takes 4 µs even if it never fires.
        if request.content.is_eof():
            return _within_bound(request.content.read_nowait(), bound)
        async with asyncio.timeout(timeout_s):
            return await _read_all(request, bound)
    except TimeoutError as error:
        raise ApiError(
            ErrorCode.REQUEST_TIMEOUT,
            f"the body was not here within {timeout_s:g} s",
            headers={hdrs.CONNECTION: "close"},
        ) from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise ApiError(ErrorCode.INVALID_JSON, "the body broke off or is malformed") from error


def _within_bound(body: bytes, bound: int) -> bytes:
    if len(body) > bound:
        raise _too_large(bound)
    return body


async def _read_all(request: web.Request, bound: int) -> bytes:
    """Return a body, counted as incomplete until its end; not by `request.read`, which caches it."""
    partial_bodies, chunks, length = request.app[PARTIAL_BODIES], list[bytes](), 0
    await send_continue(request)
    try:
        while chunk := await request.content.readany():
            partial_bodies.take(len(chunk))
            length += len(chunk)
            if length > bound:
                raise _too_large(bound)
            chunks.append(chunk)
    finally:
        partial_bodies.release(length)
    return b"".join(chunks)


def parse_json(body: bytes, adapter: TypeAdapter[Model]) -> Model:
    """Validate JSON. A body that two parsers could read differently is rejected: see `strict_json`.

    Raises:
        ApiError: 400, INVALID_JSON or VALIDATION_ERROR with the faults of the model, or because the body has
            more values than `json_bounds` allows.
    """
    if len(body) > _UNCHECKED_BYTES:
        _require_bounded(body)
    try:
        value = adapter.validate_json(body)
    except ValidationError as error:
        _require_json(body, error)
        raise invalid(error) from error
    _require_unambiguous(body)
    return value


def parse_tree(body: bytes) -> Any:  # noqa: ANN401  # plain values
    """Parse JSON into plain values, for validation piece by piece; as strict as `parse_json`.

    NaN and long integers are left to the model, as `is_plain` leaves them.

    Raises:
        ApiError: 400, INVALID_JSON, or VALIDATION_ERROR because it has more values than `json_bounds` allows.
    """
    require_few_values(body)
    try:
        tree = from_json(body, cache_strings="keys")
    except ValueError as error:
        raise _not_json(syntax_error_of(body, str(error))) from error
    try:
        if not is_plain(body, tree):
            _require_unambiguous(body)
    except TooManyMembers as error:
        raise _too_many_members() from error
    return tree


def require_valid_numbers(body: bytes) -> None:
    """Reject a body for its numbers, after a model has rejected it.

    Raises:
        ApiError: 400, INVALID_JSON.
    """
    invalid_number = invalid_number_of(body)
    if invalid_number is not None:
        raise _not_json(invalid_number)


def read_query(request: web.Request, adapter: TypeAdapter[Model]) -> Model:
    """Read the query of a request into a model, which decides about unknown names.

    Raises:
        ApiError: 400 with all faults; a name that is given twice is one.
    """
    query = request.query
    if len(query) > MAX_PARAMETERS:
        raise ApiError(ErrorCode.VALIDATION_ERROR, f"a query has at most {MAX_PARAMETERS} parameters")
    repeated = [name for name in dict.fromkeys(query) if len(query.getall(name)) > 1]
    if repeated:
        raise validation_error([Detail(pointer_to((name,)), "given more than once") for name in repeated])
    try:
        return adapter.validate_strings(dict(query))
    except ValidationError as error:
        raise invalid(error) from error


@web.middleware
async def no_query_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject a write with a query with 400: writes have no parameters, and ignored ones would be trusted.

    Not so for routes without a budget, such as probes: monitors add a parameter to get past caches.
    """
    is_write = request.method in _WRITES and request.match_info.route in request.app[DECLARED]
    if is_write and request.query_string and budget_of(request) is not Budget.EXEMPT:
        names = list(dict.fromkeys(request.query))[:MAX_DETAILS]
        raise validation_error([Detail(pointer_to((name,)), "writes take no parameters") for name in names])
    return await handler(request)


def invalid(error: ValidationError) -> ApiError:
    """Return the error for a failed validation, with at most `MAX_DETAILS` faults."""
    count = error.error_count()
    if count > MAX_LISTED_FAULTS:  # listing them would take seconds, and nobody reads them
        return ApiError(ErrorCode.VALIDATION_ERROR, f"{count} faults, too many to name")
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return validation_error([_detail_of(fault) for fault in faults[:MAX_DETAILS]], count)


def pointer_to(location: tuple[int | str, ...]) -> str:
    """Format a location in a document as a JSON pointer (RFC 6901)."""
    return _shorten("".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location))


def require_few_values(body: bytes) -> None:
    """Reject a body with more values than any meaningful one has.

    Raises:
        ApiError: 400.
    """
    if has_too_many_values(body):
        raise ApiError(ErrorCode.VALIDATION_ERROR, f"the body has more than {MAX_VALUES:,} values")


def _require_bounded(body: bytes) -> None:
    require_few_values(body)
    try:
        members_of(from_json(body))
    except TooManyMembers as error:
        raise _too_many_members() from error
    except ValueError:
        return  # the model says what is wrong, and in fewer words


def _too_many_members() -> ApiError:
    message = f"the body has an object of more than {MAX_MEMBERS} members"
    return ApiError(ErrorCode.VALIDATION_ERROR, message)


def _require_json(body: bytes, error: ValidationError) -> None:
    if error.error_count() == 1:
        [fault] = error.errors(include_url=False, include_context=False, include_input=False)
        if fault["type"] == "json_invalid":
            raise _not_json(syntax_error_of(body, fault["msg"]))
    _require_unambiguous(body)


def _require_unambiguous(body: bytes) -> None:
    ambiguity = ambiguity_of(body)
    if ambiguity is not None:
        raise _not_json(ambiguity)


def _not_json(what: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_JSON, f"the body is not the JSON that is taken here: {_shorten(what)}")


def _too_large(bound: int) -> ApiError:
    # The rest of the body is not worth reading, so the connection cannot be used again.
    headers: dict[str, str] = {hdrs.CONNECTION: "close"}
    return ApiError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is longer than {bound} bytes", headers=headers)


def validation_error(details: list[Detail], count: int | None = None) -> ApiError:
    """Return the error for a request with these faults, of `count` in all."""
    unnamed = (count or len(details)) - len(details)
    problems = len(details) + unnamed
    message = f"validation failed: {problems} problem{'' if problems == 1 else 's'}"
    if unnamed:
        message += f", {unnamed} of them not listed"
    return ApiError(ErrorCode.VALIDATION_ERROR, message, details=details)


def _detail_of(fault: ErrorDetails) -> Detail:
    message = _MESSAGES.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    return Detail(pointer_to(fault["loc"]), _shorten(message))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[:MAX_TEXT_LENGTH]}…"
