"""Handler of ingest-api's routes, which are declared here only for `Allow`."""

from aiohttp import web

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError


async def send_to_gateway(_request: web.Request) -> web.Response:
    """Reject the request with 404: the gateway would have routed it to ingest-api."""
    raise ApiError(ErrorCode.NOT_FOUND, "ingest-api serves this path: ask the gateway")
