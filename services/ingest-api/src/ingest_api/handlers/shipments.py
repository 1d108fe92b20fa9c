"""POST /shipments."""

import re
from typing import Final

from aiohttp import web

from domain.errors import ErrorCode
from domain.permissions import Principal, Role, owns
from domain.status import Status
from httpkit.auth import principal
from httpkit.bodies import read_json
from httpkit.errors import ApiError, Detail
from httpkit.responses import json_response
from ingest_api.creation import Creation, ShipmentCreator
from ingest_api.models import SHIPMENT, ShipmentIn

CREATOR: Final = web.AppKey("creator", ShipmentCreator)
IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_KEY_FORM: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


async def post_shipment(request: web.Request) -> web.Response:
    """Register a shipment: 201 once it exists, 202 if that takes longer than the wait."""
    key = _idempotency_key(request)
    shipment = await read_json(request, SHIPMENT)
    caller = principal(request)
    creation = await request.app[CREATOR].create(
        shipment, _client_of(shipment, caller), caller, idempotency_key=key
    )
    return _rendered(creation)


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and _KEY_FORM.fullmatch(key) is None:
        raise ApiError(ErrorCode.VALIDATION_ERROR, f"{IDEMPOTENCY_KEY} must be 1 to 255 visible characters")
    return key


def _client_of(shipment: ShipmentIn, caller: Principal) -> str:
    client_id = shipment.get("client_id", caller.client_id)
    if client_id is None:
        fault = Detail("/client_id", f"a caller of role {caller.role} must say whose shipment it is")
        raise ApiError(
            ErrorCode.VALIDATION_ERROR, "the request does not have the right form", details=[fault]
        )
    if not owns(caller, client_id):
        raise ApiError(ErrorCode.FORBIDDEN, f"a {Role.CLIENT} can register shipments for itself only")
    return client_id


def _rendered(creation: Creation) -> web.Response:
    answer = creation.answer
    body: dict[str, object]
    if answer is None:
        body = {
            "event_id": creation.event_id,
            "status": "queued",
            "tracking_number": creation.tracking_number,
            "message": "Shipment accepted for processing",
        }
        return json_response(body, status=202, headers={"Location": f"/events/{creation.event_id}"})
    if answer.reason is ErrorCode.IDEMPOTENCY_CONFLICT:
        raise ApiError(answer.reason, f"this {IDEMPOTENCY_KEY} was used for another shipment")
    body = {
        "tracking_number": creation.tracking_number,
        "status": Status.CREATED,
        "created_at": answer.timestamp,
        "client_id": answer.client_id,
    }
    return json_response(body, status=201, headers={"Location": f"/shipments/{creation.tracking_number}"})
