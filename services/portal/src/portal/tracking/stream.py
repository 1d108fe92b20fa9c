"""Handler of GET /track/{tracking_number}/stream."""

from aiohttp import web

from domain.shipments.tracking_number import number_to_find
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.streaming.shipment_streams import SHIPMENT_STREAMS


async def get_stream(request: web.Request) -> web.StreamResponse:
    """Stream the status of a shipment and its changes, for a minute at most."""
    tracking_number = number_to_find(request.match_info["tracking_number"])
    response = await request.app[SHIPMENT_STREAMS].serve(request, tracking_number)
    if response is None:
        raise ApiError(ErrorCode.SHIPMENT_NOT_FOUND, "there is no such shipment")
    return response
