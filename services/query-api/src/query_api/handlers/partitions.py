"""Handlers of /partitions and /quarantine."""

from typing import Any, Final

from aiohttp import web

from domain.processing.halts import Halt, PartitionView, Quarantined, QuarantinePut, Resumption
from domain.shipments.tracking_number import read_tracking_number
from httpkit.listing.list_pages import PRIVATE
from httpkit.listing.list_queries import NO_QUERY
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json, read_query
from httpkit.request.preconditions import precondition_failed, required_existence
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from messaging.backlog import Waiting
from query_api.adapters import ADAPTERS
from query_api.schemas.bodies import QUARANTINE, RESUME
from servicekit.clock import SystemClock

MOST_QUARANTINED: Final = 1_000
_MOST_DIGITS: Final = 6


async def list_partitions(request: web.Request) -> web.Response:
    """Return the state of each partition."""
    read_query(request, NO_QUERY)
    views = await request.app[ADAPTERS].partitions.partitions()
    depths = await request.app[ADAPTERS].depths(views)
    data = [_to_json(view) | _waiting_to_json(depths.get(view.name)) for view in views if not view.has_ended]
    return json_response({"data": data}, headers=PRIVATE)


async def resume_partition(request: web.Request) -> web.Response:
    """Request that a halted partition resumes: 202, its owner does so within seconds."""
    wanted = await read_json(request, RESUME)
    partitions = request.app[ADAPTERS].partitions
    digits = request.match_info["partition"]
    view = await partitions.partition(int(digits)) if len(digits) <= _MOST_DIGITS else None
    if view is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such partition")
    if view.halt is None:
        raise ApiError(ErrorCode.CANNOT_RESUME, "the partition is not halted")
    if wanted.start not in view.halt.starts:
        raise ApiError(ErrorCode.CANNOT_RESUME, _rejection(view.halt))
    resumption = Resumption(
        halted_since=view.halt.since,
        start=wanted.start,
        reason=wanted.reason,
        requested_by=principal(request).subject,
        requested_at=SystemClock().now(),
    )
    await partitions.resume(view.name, resumption)
    return json_response(_to_json(view) | {"resumption": _resumption_to_json(resumption)}, status=202)


def _rejection(halt: Halt) -> str:
    why = "records are gone unread" if halt.is_gap else "no records are gone"
    starts = " or ".join(f'"{start}"' for start in halt.starts)
    return f"{why}: it resumes from {starts} only"


async def list_quarantine(request: web.Request) -> web.Response:
    """Return the quarantined shipments, by tracking number."""
    read_query(request, NO_QUERY)
    entries = await request.app[ADAPTERS].quarantine.entries()
    return json_response({"data": [_entry_to_json(entry) for entry in entries]}, headers=PRIVATE)


async def put_quarantine(request: web.Request) -> web.Response:
    """Quarantine a shipment, or replace the reason."""
    tracking_number = read_tracking_number(request.match_info["tracking_number"])
    wanted = await read_json(request, QUARANTINE)
    entry = Quarantined(
        tracking_number=tracking_number,
        reason=wanted.reason,
        since=SystemClock().now(),
        requested_by=principal(request).subject,
    )
    standing = required_existence(request)
    done = await request.app[ADAPTERS].quarantine.put(entry, most=MOST_QUARANTINED, standing=standing)
    if done is QuarantinePut.UNMET:
        raise precondition_failed(f"the shipment is {'not ' if standing else ''}quarantined")
    if done is QuarantinePut.FULL:
        raise ApiError(ErrorCode.QUARANTINE_FULL, f"{MOST_QUARANTINED} shipments are quarantined already")
    return json_response(_entry_to_json(entry))


async def delete_quarantine(request: web.Request) -> web.Response:
    """Release a shipment from quarantine."""
    tracking_number = read_tracking_number(request.match_info["tracking_number"])
    removed = await request.app[ADAPTERS].quarantine.remove(
        tracking_number, by=principal(request).subject, at=SystemClock().now()
    )
    if not removed:
        raise ApiError(ErrorCode.NOT_FOUND, "the shipment is not quarantined")
    return web.Response(status=web.HTTPNoContent.status_code)


def _to_json(view: PartitionView) -> dict[str, Any]:
    halt, resumption = view.halt, view.resumption
    return {
        "topic": view.topic,
        "partition": view.number,
        "owner": view.owner,
        "epoch": view.epoch,
        "next_offset": view.next_offset,
        "halted": halt is not None,
        "reason": None if halt is None else halt.problem,
        "since": None if halt is None else halt.since,
        "resume_from": None if halt is None else halt.starts[0],
        "skip_to": None if halt is None else halt.skip_to,
        "resumption": None if resumption is None else _resumption_to_json(resumption),
    }


def _waiting_to_json(waiting: Waiting | None) -> dict[str, Any]:
    return {
        "lag": None if waiting is None else waiting.count,
        "oldest_waiting_at": None if waiting is None else waiting.oldest,
    }


def _resumption_to_json(resumption: Resumption) -> dict[str, Any]:
    return {
        "from": resumption.start,
        "reason": resumption.reason,
        "requested_by": resumption.requested_by,
        "requested_at": resumption.requested_at,
    }


def _entry_to_json(entry: Quarantined) -> dict[str, Any]:
    return {
        "tracking_number": entry.tracking_number,
        "reason": entry.reason,
        "since": entry.since,
        "requested_by": entry.requested_by,
    }
