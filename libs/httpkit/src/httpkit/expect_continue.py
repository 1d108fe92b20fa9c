"""What `Expect` is answered with: a refusal at once, or `100 Continue` when the body is wanted."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_writer import HttpVersion11

from domain.errors import ErrorCode
from httpkit.response.errors import ApiError, error_response

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_IS_ASKED: Final = web.RequestKey("body_is_asked_for", bool)


async def meet_expectation(request: web.Request) -> web.Response | None:
    """Refuse what cannot be expected, and a body that is too long before it is sent.

    Returns:
        The answer to a request that shall go no further; None: it is handled as any other.
    """
    if request.version < HttpVersion11:
        return None
    if request.headers[hdrs.EXPECT].lower() != "100-continue":
        return _refusal(
            ErrorCode.VALIDATION_ERROR,
            "nothing but 100-continue can be expected",
            HTTPStatus.EXPECTATION_FAILED,
        )
    if (request.content_length or 0) > request.client_max_size:
        message = f"the body is longer than {request.client_max_size} bytes"
        return _refusal(ErrorCode.PAYLOAD_TOO_LARGE, message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


async def ask_for_body(request: web.Request) -> None:
    """Send `100 Continue`, once, to a client that waits for it: call it when the body is about to be read.

    So a request that is refused for its head (401, 403, 415, 429 …) is refused before its body is sent.
    """
    if not _is_waited_for(request):
        return
    request[_IS_ASKED] = True
    writer = request.writer
    await writer.write(_CONTINUE)
    writer.output_size = 0  # the answer itself has not begun


async def end_if_unasked(request: web.Request, response: web.StreamResponse) -> None:
    """Close the connection with an answer that nobody has sent a body for: a signal of `on_response_prepare`.

    Whether the body comes nevertheless is not to be known, so that nothing after it could be understood.
    """
    if _is_waited_for(request):
        response.force_close()
        response.headers[hdrs.CONNECTION] = "close"  # the headers are prepared by now


def _is_waited_for(request: web.Request) -> bool:
    return (
        hdrs.EXPECT in request.headers
        and request.version >= HttpVersion11
        and _IS_ASKED not in request
        and not request.content.is_eof()
    )


def _refusal(code: ErrorCode, message: str, status: int) -> web.Response:
    response = error_response(ApiError(code, message, status=status))
    response.force_close()  # whether the body comes nevertheless is not to be known
    return response
