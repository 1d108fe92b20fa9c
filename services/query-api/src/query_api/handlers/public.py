"""Handler of GET /public/shipments/{tracking_number}: what anybody with a tracking number may see."""

from typing import Any

from aiohttp import web

from domain.shipments.public_view import PublicShipment, PublicStep
from httpkit.listing.list_queries import NO_QUERY
from httpkit.request.bodies import read_query
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from query_api.adapters import ADAPTERS


async def get_public_shipment(request: web.Request) -> web.Response:
    """Return the public view of a shipment; whatever is not there has one and the same 404."""
    read_query(request, NO_QUERY)
    shipment = await request.app[ADAPTERS].public.find(request.match_info["tracking_number"])
    if shipment is None:
        raise ApiError(ErrorCode.SHIPMENT_NOT_FOUND, "there is no such shipment")
    return json_response(_to_json(shipment))


def _to_json(shipment: PublicShipment) -> dict[str, Any]:
    return {
        "tracking_number": shipment.tracking_number,
        "current_status": shipment.current_status,
        "steps": [_step_to_json(step) for step in shipment.steps],
        "updated_at": shipment.updated_at,
    }


def _step_to_json(step: PublicStep) -> dict[str, Any]:
    checkpoint = {} if step.checkpoint is None else {"checkpoint": step.checkpoint}
    return {"status": step.status, **checkpoint, "timestamp": step.timestamp}
