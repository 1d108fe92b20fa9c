"""Writes to shipments: POST /shipments, PATCH and DELETE /shipments/{tracking_number}."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import hdrs, web

from domain.access.permissions import Principal, Role, owns
from domain.ports.core import Reply
from domain.shipments.commands import Command
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from domain.shipments.tracking_number import read_tracking_number
from httpkit.request.bodies import read_json, validation_error
from httpkit.request.preconditions import expected_versions, version_tag
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from httpkit.response.json_responses import json_response
from ingest_api.handlers.outcomes import (
    is_final,
    outcome_response,
    preference_applied,
    queued,
    rejection_error,
    submission_context,
)
from ingest_api.schemas.shipment_forms import nested
from ingest_api.schemas.shipments import AMENDMENT, SHIPMENT
from ingest_api.shipment_quota import charge_shipments
from ingest_api.use_cases.shipment_changes import ShipmentChanger
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
    context = submission_context(request, default_wait_s=request.app[DEFAULT_WAIT_S])
    creation = await request.app[CREATOR].create(
        shipment, _client_of(shipment, context.principal), context, idempotency_key=key
    )
    return _created(creation, preference_applied(request))


async def patch_shipment(request: web.Request) -> web.Response:
    """Amend a shipment: 200 once that is applied, 202 if it takes longer than the wait."""
    number = read_tracking_number(request.match_info["tracking_number"])
    context = _conditional_context(request)
    body = await read_json(request, AMENDMENT)
    await charge_shipments(request, (number,))
    change = await request.app[CHANGER].amend(number, nested(body), context)
    return outcome_response(
        request, change.command, change.reply, accepted="Amendment accepted for processing", applied=_changed
    )


async def delete_shipment(request: web.Request) -> web.Response:
    """Cancel a shipment: 200 once that is applied, 202 if it takes longer than the wait."""
    number = read_tracking_number(request.match_info["tracking_number"])
    context = _conditional_context(request)
    await charge_shipments(request, (number,))
    change = await request.app[CHANGER].cancel(number, context)
    return outcome_response(
        request,
        change.command,
        change.reply,
        accepted="Cancellation accepted for processing",
        applied=_changed,
    )


def _conditional_context(request: web.Request) -> SubmissionContext:
    context = submission_context(request, default_wait_s=request.app[DEFAULT_WAIT_S])
    return replace(context, expected_versions=expected_versions(request))


def _idempotency_key(request: web.Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and _KEY_FORM.fullmatch(key) is None:
        raise ApiError(ErrorCode.VALIDATION_ERROR, f"{IDEMPOTENCY_KEY} must be 1 to 255 visible characters")
    return key


def _client_of(shipment: Mapping[str, Any], caller: Principal) -> str:
    client_id: str | None = shipment.get("client_id", caller.client_id)
    if client_id is None:
        fault = Detail("/client_id", f"a caller of role {caller.role} must say whose shipment it is")
        raise validation_error([fault])
    if not owns(caller, client_id):
        raise ApiError(ErrorCode.FORBIDDEN, f"a {Role.CLIENT} can register shipments for itself only")
    return client_id


def _created(creation: Creation, headers: Mapping[str, str]) -> web.Response:
    reply = creation.reply
    if not is_final(reply):
        return queued(creation.command, "Shipment accepted for processing", headers)
    if reply.reason is RejectionReason.IDEMPOTENCY_CONFLICT:
        message = f"this {IDEMPOTENCY_KEY} was used for another shipment"
        raise rejection_error(reply.reason, headers, message=message)
    number = creation.command.tracking_number
    body = {
        "tracking_number": number,
        "status": Status.CREATED,
        "created_at": reply.timestamp,
        "client_id": reply.client_id,
    }
    return json_response(body, status=201, headers={"Location": f"/shipments/{number}", **headers})


def _changed(command: Command, reply: Reply) -> tuple[dict[str, Any], dict[str, str]]:
    body = {
        "tracking_number": command.tracking_number,
        "status": reply.status,
        "version": reply.version,
        "event_id": command.event_id,
    }
    return body, {} if reply.version is None else {hdrs.ETAG: version_tag(reply.version)}
