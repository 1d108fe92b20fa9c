"""Routes of ingest-api, declared here for the sake of `Allow` alone."""

from aiohttp import web

from domain.errors import ErrorCode
from httpkit.response.errors import ApiError


async def send_to_gateway(_request: web.Request) -> web.Response:
    """Refuse: whoever gets here has gone past the gateway, which knows the way."""
    raise ApiError(ErrorCode.NOT_FOUND, "ingest-api serves this path: ask the gateway")
