"""POST /shipments, PATCH and DELETE /shipments/{tracking_number}."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import hdrs, web

from domain.access.permissions import Principal, Role, owns
from domain.errors import ErrorCode
from domain.shipments.status import Status
from domain.shipments.tracking_number import read_tracking_number
from httpkit.request.bodies import read_json
from httpkit.request.preconditions import expected_versions, version_tag
from httpkit.response.errors import ApiError, Detail
from httpkit.response.json_responses import json_response
from ingest_api.handlers.outcomes import asker_of, honoured, is_final, queued, require_applied
from ingest_api.schemas.shipment_forms import nested
from ingest_api.schemas.shipments import AMENDMENT, SHIPMENT
from ingest_api.shipment_quota import require_share
from ingest_api.use_cases.shipment_changes import Change, ShipmentChanger
from ingest_api.use_cases.shipment_creation import Creation, ShipmentCreator
from ingest_api.use_cases.submission import SubmissionContext

CREATOR: Final = web.AppKey("creator", ShipmentCreator)
CHANGER: Final = web.AppKey("changer", ShipmentChanger)
DEFAULT_WAIT_S: Final = web.AppKey("default_wait_s", float)
IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_KEY_FORM: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


async def post_shipment(request: web.Request) -> web.Response:
    """Register a shipment: 201 once it exists, 202 if that takes longer than the wait."""
    key = _idempotency_key(request)
    body = await read_json(request, SHIPMENT)
    shipment = nested(body)
    asker = asker_of(request, default_wait_s=request.app[DEFAULT_WAIT_S])
    creation = await request.app[CREATOR].create(
        shipment, _client_of(shipment, asker.principal), asker, idempotency_key=key
    )
    return _created(creation, honoured(request))


async def patch_shipment(request: web.Request) -> web.Response:
    """Amend a shipment: 200 once it is, 202 if that takes longer than the wait."""
    number = read_tracking_number(request.match_info["tracking_number"])
    asker = _conditional_asker_of(request)
    body = await read_json(request, AMENDMENT)
    await require_share(request, (number,))
    change = await request.app[CHANGER].amend(number, nested(body), asker)
    return _changed(change, "Amendment accepted for processing", honoured(request))


async def delete_shipment(request: web.Request) -> web.Response:
    """Cancel a shipment, which stays to be read: 200 once it is, 202 if that takes longer than the wait."""
    number = read_tracking_number(request.match_info["tracking_number"])
    asker = _conditional_asker_of(request)
    await require_share(request, (number,))
    change = await request.app[CHANGER].cancel(number, asker)
    return _changed(change, "Cancellation accepted for processing", honoured(request))


def _conditional_asker_of(request: web.Request) -> SubmissionContext:
    asker = asker_of(request, default_wait_s=request.app[DEFAULT_WAIT_S])
    return replace(asker, expected_versions=expected_versions(request))


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and _KEY_FORM.fullmatch(key) is None:
        raise ApiError(ErrorCode.VALIDATION_ERROR, f"{IDEMPOTENCY_KEY} must be 1 to 255 visible characters")
    return key


def _client_of(shipment: Mapping[str, Any], caller: Principal) -> str:
    client_id: str | None = shipment.get("client_id", caller.client_id)
    if client_id is None:
        fault = Detail("/client_id", f"a caller of role {caller.role} must say whose shipment it is")
        raise ApiError(
            ErrorCode.VALIDATION_ERROR, "the request does not have the right form", details=[fault]
        )
    if not owns(caller, client_id):
        raise ApiError(ErrorCode.FORBIDDEN, f"a {Role.CLIENT} can register shipments for itself only")
    return client_id


def _created(creation: Creation, headers: Mapping[str, str]) -> web.Response:
    answer = creation.answer
    if not is_final(answer):
        return queued(creation.command, "Shipment accepted for processing", headers)
    if answer.reason is ErrorCode.IDEMPOTENCY_CONFLICT:
        message = f"this {IDEMPOTENCY_KEY} was used for another shipment"
        raise ApiError(answer.reason, message, headers=headers)
    number = creation.command.tracking_number
    body = {
        "tracking_number": number,
        "status": Status.CREATED,
        "created_at": answer.timestamp,
        "client_id": answer.client_id,
    }
    return json_response(body, status=201, headers={"Location": f"/shipments/{number}", **headers})


def _changed(change: Change, message: str, headers: Mapping[str, str]) -> web.Response:
    command, answer = change.command, change.answer
    if not is_final(answer):
        return queued(command, message, headers)
    require_applied(command, answer, headers)
    body = {
        "tracking_number": command.tracking_number,
        "status": answer.status,
        "version": answer.version,
        "event_id": command.event_id,
    }
    tag: dict[str, str] = {} if answer.version is None else {hdrs.ETAG: version_tag(answer.version)}
    return json_response(body, headers={**tag, **headers})
