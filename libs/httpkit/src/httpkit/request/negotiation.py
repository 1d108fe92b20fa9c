"""Content negotiation: media types of bodies (415) and of responses (406)."""

import re
from typing import Final

from aiohttp import hdrs, web

from httpkit.request.header_fields import BLANKS, LONGEST_FIELD, is_token, joined, split, value_of
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Handler
from httpkit.routes import JSON_ROUTES

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
NDJSONS: Final = (NDJSON, "application/ndjson", "application/jsonl")
"""Media types of newline-delimited JSON; none of them is registered, and each is in use."""
MERGE_PATCH: Final = "application/merge-patch+json"

_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_RANGES: Final = {"*/*": 0, "application/*": 1, JSON: 2}
"""Ranges that match `application/json`, by precision: the most exact one decides (RFC 9110, 12.5.1)."""

_CODINGS: Final = frozenset({"identity", "gzip", "x-gzip"})
_UTF_8: Final = {"charset": "utf-8"}
_AT_ONCE: Final = frozenset({"*/*", JSON})


def require_media_type(request: web.Request, *known: str) -> str:
    """Return the media type of the body, one of `known`.

    Raises:
        ApiError: 415, with `Accept` or `Accept-Encoding` for the supported values. The only parameter that is
            accepted is `charset=utf-8`.
    """
    given = request.headers.getall(hdrs.CONTENT_TYPE, [])
    name: str | None = given[0] if len(given) == 1 else None
    parameters: dict[str, str] = {}
    if name is not None and name not in known:  # nearly always it is one of them, as it stands
        name, parameters = _media_type(name)
    if name not in known or (parameters and parameters != _UTF_8):
        wanted = " or ".join(known)
        raise _unsupported(f"send {wanted}, in UTF-8", {hdrs.ACCEPT: ", ".join(known)})
    if hdrs.CONTENT_ENCODING in request.headers:
        is_compressed(request)
    return str(name)


def is_compressed(request: web.Request) -> bool:
    """Return whether the body is compressed with gzip; otherwise it is not compressed.

    Raises:
        ApiError: 415 with `Accept-Encoding`, it is compressed in another way, or more than once.
    """
    codings = request.headers.getall(hdrs.CONTENT_ENCODING, ["identity"])
    coding = codings[0].strip().lower() if len(codings) == 1 else None
    if coding not in _CODINGS:
        raise _unsupported("send the body as it is, or with gzip", {hdrs.ACCEPT_ENCODING: "gzip, identity"})
    return coding != "identity"


def accepts_json(header: str) -> bool:
    """Return whether an `Accept` header allows JSON; malformed elements are ignored."""
    best, weight, read = -1, 0.0, False
    for element in split(header, ","):
        name, parameters = _media_type(element)
        q = parameters.pop("q", "1")
        if name is None or _WEIGHT.fullmatch(q) is None:
            continue
        read = True
        exactness = _RANGES.get(name, -1)
        if parameters not in ({}, _UTF_8) or exactness < best:
            continue
        weight = max(weight, float(q)) if exactness == best else float(q)
        best = exactness
    return not read or (best >= 0 and weight > 0)


@web.middleware
async def negotiation_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject a request with 406 if its `Accept` excludes the JSON of the route."""
    accept = request.headers.get(hdrs.ACCEPT)
    if accept is not None and accept not in _AT_ONCE and request.match_info.route in request.app[JSON_ROUTES]:
        header = joined(request.headers.getall(hdrs.ACCEPT))
        if header is not None and not accepts_json(header):
            raise ApiError(ErrorCode.NOT_ACCEPTABLE, f"this answers with {JSON} only")
    return await handler(request)


def _media_type(text: str) -> tuple[str | None, dict[str, str]]:
    """Parse a media type or range and its parameters, all in lower case; None if it is malformed."""
    unread: tuple[None, dict[str, str]] = None, {}
    if len(text) > LONGEST_FIELD:
        return unread
    name, *rest = [part.strip(BLANKS) for part in split(text, ";")]
    if not all(map(is_token, name.split("/", 1))) or "/" not in name:
        return unread
    parameters: dict[str, str] = {}
    for part in filter(None, rest):
        key, _, value = part.partition("=")
        word = value_of(value)
        if word is None or not is_token(key):
            return unread
        parameters[key.lower()] = word.lower()
    return name.lower(), parameters


def _unsupported(message: str, headers: dict[str, str]) -> ApiError:
    return ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, message, headers=headers)
