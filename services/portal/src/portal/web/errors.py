"""Errors as pages, for people; the rest of the portal's errors are JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from httpkit.middleware.request_ids import REQUEST_ID
from httpkit.response.errors import ApiError, Detail, error_response
from portal.web.rendering import render
from portal.web.security import SAFE


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error.

    Attributes:
        status: of HTTP.
        code: of the API.
        message: in English, for operators.
        details: the fields that are wrong.
        request_id: names the request in the logs, if known.
    """

    status: int
    code: str
    message: str
    details: Sequence[Detail]
    request_id: str | None


def render_error(request: web.Request, error: ApiError) -> web.Response:
    """Return an error as the page of that part of the portal."""
    folder = _folder_of(request)
    if folder is None:
        return error_response(error)
    view = ErrorView(error.status, error.code, error.message, error.details, request.get(REQUEST_ID))
    return render(request, f"{folder}/error.html", view, status=error.status, headers=error.headers)


def _folder_of(request: web.Request) -> str | None:
    """Return the folder of the templates for a request; None for those of scripts."""
    match request.path.split("/")[1]:
        case "console":
            return "console"
        case "track" if request.method in SAFE and not request.path.endswith("/stream"):
            return "tracking"
        case _:
            return None
