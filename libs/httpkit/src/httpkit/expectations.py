"""What `Expect` is answered with, before any middleware runs and before the body is sent."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_writer import HttpVersion11

from domain.errors import ErrorCode
from httpkit.errors import ApiError, error_response

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


async def meet_expectation(request: web.Request) -> web.Response | None:
    """Ask for the body if it will be read; refuse one that is too long before it is sent.

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
    writer = request.writer
    await writer.write(_CONTINUE)
    writer.output_size = 0  # the answer itself has not begun
    return None


def _refusal(code: ErrorCode, message: str, status: int) -> web.Response:
    response = error_response(ApiError(code, message, status=status))
    response.force_close()  # whether the body comes nevertheless is not to be known
    return response
