"""Conditional requests: `If-Match` and `If-None-Match` (RFC 9110, 13.1) against the version of a resource.

A write never ignores a precondition. A route that compares versions is declared `is_conditional` and reads
them here. For every other write the target has no entity tag: a list of tags in `If-Match` cannot hold, and
neither can `If-None-Match: *`, because the target exists or the write is 404 anyway.
"""

import re
from typing import Final

from aiohttp import hdrs, web

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Handler
from httpkit.routes import CONDITIONAL_ROUTES, DECLARED

CODINGS: Final = ("gzip", "zstd")
"""Codings that a proxy appends to the tag of a response that it compresses; ours takes its own off again."""
MAX_TAGS: Final = 100

_ANY: Final = "*"
_WRITES: Final = frozenset({hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE})
_TAG: Final = re.compile(r'((?:W/)?"[^\x00-\x20\x22\x7f]*+")')
_VERSION: Final = re.compile(rf'"v([1-9][0-9]{{0,9}})(?:-(?:{"|".join(CODINGS)}))?"', re.ASCII)


def version_tag(version: int) -> str:
    """Return the entity tag of a version, as `ETag` carries it."""
    return f'"v{version}"'


def matched_versions(request: web.Request) -> tuple[int, ...] | None:
    """Return the versions that `If-Match` accepts: None for any, empty for none.

    The comparison is strong, as RFC 9110 requires: a weak tag (`W/"v3"`) matches nothing.

    Raises:
        ApiError: 400, the header is malformed.
    """
    tags = _tags(request, hdrs.IF_MATCH)
    if tags is None or tags == [_ANY]:
        return None
    found = (_VERSION.fullmatch(tag) for tag in tags)
    return tuple(dict.fromkeys(int(each[1]) for each in found if each is not None))


def expected_versions(request: web.Request) -> tuple[int, ...] | None:
    """Return the versions that a write accepts, by both headers: None for any, empty for none.

    Raises:
        ApiError: 400, a header is malformed, or `If-None-Match` lists tags, which no write here compares.
    """
    absent = _tags(request, hdrs.IF_NONE_MATCH)
    if absent is not None and absent != [_ANY]:
        raise _malformed(hdrs.IF_NONE_MATCH, "is * or left out on a write: send the tags as If-Match")
    versions = matched_versions(request)
    return versions if absent is None else ()


def required_existence(request: web.Request) -> bool | None:
    """Return whether the target of a PUT must exist already (true) or must not (false); None for either.

    Raises:
        ApiError: 400, a header is malformed; 412, it can never hold: the target has no tag to compare.
    """
    present, absent = _tags(request, hdrs.IF_MATCH), _tags(request, hdrs.IF_NONE_MATCH)
    if present is not None and (present != [_ANY] or absent == [_ANY]):
        raise precondition_failed("this has no version to compare: If-Match takes * alone here")
    if present is not None:
        return True
    return False if absent == [_ANY] else None


def precondition_failed(message: str) -> ApiError:
    """Return the error for a failed precondition: 412."""
    return ApiError(ErrorCode.PRECONDITION_FAILED, message)


@web.middleware
async def precondition_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject a write with 412 if its precondition cannot hold and its route does not evaluate it."""
    headers = request.headers
    if (hdrs.IF_MATCH in headers or hdrs.IF_NONE_MATCH in headers) and _is_versionless_write(request):
        if _tags(request, hdrs.IF_MATCH) not in (None, [_ANY]):
            raise precondition_failed("this has no version to compare: leave If-Match out, or send *")
        if _tags(request, hdrs.IF_NONE_MATCH) == [_ANY]:
            raise precondition_failed("If-None-Match: * cannot hold here: leave it out")
    return await handler(request)


def _is_versionless_write(request: web.Request) -> bool:
    route, app = request.match_info.route, request.app
    return request.method in _WRITES and route in app[DECLARED] and route not in app[CONDITIONAL_ROUTES]


def _tags(request: web.Request, name: str) -> list[str] | None:
    """Return the entity tags of a header, `["*"]` for any, None where the header is missing.

    Raises:
        ApiError: 400, the value is not a list of entity tags, or has more than `MAX_TAGS`.
    """
    lines = request.headers.getall(name, None)
    if lines is None:
        return None
    text = ",".join(lines).strip(" \t")
    if text == _ANY:
        return [_ANY]
    # Between the tags there must be only commas and blanks, with a comma between any two.
    between = _TAG.split(text)
    tags, gaps = between[1::2], between[::2]
    if not tags or any(gap.strip(" \t,") for gap in gaps) or any("," not in gap for gap in gaps[1:-1]):
        raise _malformed(name, 'is * or a list of entity tags, such as "v3"')
    if len(tags) > MAX_TAGS:
        raise _malformed(name, f"has more than {MAX_TAGS} entity tags")
    return tags


def _malformed(name: str, fault: str) -> ApiError:
    return ApiError(ErrorCode.VALIDATION_ERROR, f"{name} {fault}")
