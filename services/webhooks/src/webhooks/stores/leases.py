"""Leases of endpoints: one replica at a time sends for each.

A lease is a fence: who takes it raises the endpoint's `epoch`, and every later write of its holder is on
condition of that epoch. Only MongoDB's clock says when it ends. The holder counts by its monotonic clock from
before it asked, so for the holder it ends earlier.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from domain.values import value
from domain.webhooks.endpoint import Endpoint, EndpointState, PauseReason
from domain.webhooks.health import HEALTHY, Health
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import WEBHOOK_ENDPOINTS
from webhooks.stores.endpoints import SealedSecret, endpoint_of, secrets_of

Document = Mapping[str, Any]


@value(kw_only=True)
class Lease:
    """The right to send for an endpoint.

    Attributes:
        epoch: see the module.
        work: number of times that others have changed when something is due for the endpoint.
        beginnings: number of times that the endpoint has begun again: resumed, or with another URL. What was
            attempted before says nothing about its health.
        valid_until: by `time.monotonic`.
    """

    endpoint: Endpoint
    secrets: tuple[SealedSecret, ...]
    health: Health
    rest_until: datetime | None
    epoch: int
    work: int
    beginnings: int
    valid_until: float

    def remaining_s(self) -> float:
        """Return for how long the lease is valid; negative once it is not."""
        return self.valid_until - time.monotonic()


@value()
class Sighting:
    """An endpoint as another replica, or the management, may have changed it."""

    epoch: int
    work: int
    updated_at: datetime


class MongoLeases:
    """Leases in the documents of the endpoints. Its calls raise `StoreUnavailable`."""

    def __init__(self, database: Database, *, owner: str, lease_s: float) -> None:
        self._endpoints = database[WEBHOOK_ENDPOINTS]
        self._owner = owner
        self._lease_s = lease_s
        milliseconds = int(lease_s * 1000)
        self._end = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}

    async def free(self, state: EndpointState, now: datetime, *, limit: int) -> list[str]:
        """Return endpoints in a state that have something due and no lease, the longest overdue first."""
        query = {
            "state": state.value,
            "next_due_at": {"$lte": now},
            "rest_until": {"$not": {"$gt": now}},
            "lease.until": {"$not": {"$gt": now}},
        }
        with translated():
            found = self._endpoints.find(query, ["_id"]).sort("next_due_at").limit(limit)
            return [document["_id"] async for document in found]

    async def acquire(self, endpoint_id: str, state: EndpointState, now: datetime) -> Lease | None:
        """Take the lease of an endpoint; None if it is not free, or the endpoint not in that state."""
        taken = {
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]},
            "lease": {"owner": {"$literal": self._owner}, "until": self._end},
        }
        free = {"$expr": {"$lte": ["$lease.until", "$$NOW"]}}  # true if there is none
        return await self._lease({"_id": endpoint_id, "state": state.value, **free}, taken, now)

    async def renew(self, lease: Lease, now: datetime, *, oldest_due: datetime | None = None) -> Lease | None:
        """Prolong a lease, read its endpoint, and record its health unless that has begun again.

        Args:
            lease: with the endpoint's health as it is by now.
            now: decides which secrets sign.
            oldest_due: when the oldest delivery that the holder works on was due; None if there is none.

        Returns:
            The lease, or None if it is lost, or the endpoint was deleted.
        """
        changes = {"lease.until": self._end, **_health_fields(lease)}
        if oldest_due is not None:
            changes["next_due_at"] = oldest_due
        return await self._lease(_held(lease), changes, now)

    async def sightings(self, endpoint_ids: Collection[str]) -> dict[str, Sighting]:
        """Return what may have changed of those endpoints that exist."""
        with translated():
            found = self._endpoints.find(
                {"_id": {"$in": list(endpoint_ids)}}, ["epoch", "work", "updated_at"]
            )
            return {
                each["_id"]: Sighting(each["epoch"], each["work"], each["updated_at"]) async for each in found
            }

    async def release(
        self, lease: Lease, *, work: int, next_due_at: datetime | None, rest_until: datetime | None
    ) -> bool:
        """Give a lease back, record its health, and say when something is due next.

        Args:
            lease: with the endpoint's health as it is by now.
            work: `Lease.work` as it was before the deliveries were read that say what is due next.
            next_due_at: None if nothing is.
            rest_until: no attempt is made before; None: at any time.

        Returns:
            False, and nothing changes, if the lease is lost, or others have made something due since.
        """
        rest = _unless_outdated(lease, {"rest_until": rest_until})
        after = {"next_due_at": next_due_at, "lease": None, **rest, **_health_fields(lease)}
        return await self._update({**_held(lease), "work": work}, after)

    async def give_up(
        self, lease: Lease, *, oldest_due: datetime | None = None, rest_until: datetime | None = None
    ) -> None:
        """Give a lease back with work left to do, unless it is lost; see `renew` and `release`."""
        rest = _unless_outdated(lease, {"rest_until": rest_until})
        after = {"lease": None, **rest, **_health_fields(lease)}
        await self._update(
            _held(lease), after if oldest_due is None else {**after, "next_due_at": oldest_due}
        )

    async def pause(self, lease: Lease, reason: PauseReason, now: datetime) -> bool:
        """Pause an active endpoint; False if the lease is lost, or it is paused, or has begun again."""
        paused = {
            **_health_fields(lease),
            "state": EndpointState.PAUSED.value,
            "paused_reason": reason.value,
            "paused_at": now,
            "updated_at": now,
        }
        active = {"state": EndpointState.ACTIVE.value, "$expr": _is_same(lease)}
        return await self._update({**_held(lease), **active}, paused)

    async def mark_due(self, endpoint_ids: Collection[str], at: datetime) -> None:
        """Say that something is due for endpoints at an instant; the holders of leases learn of it."""
        with translated():
            await self._endpoints.update_many({"_id": {"$in": list(endpoint_ids)}}, due_at_latest(at))

    async def _lease(
        self, query: Mapping[str, Any], changes: Mapping[str, Any], now: datetime
    ) -> Lease | None:
        asked_at = time.monotonic()
        with translated():
            document = await self._endpoints.find_one_and_update(
                query, [{"$set": changes}], return_document=ReturnDocument.AFTER
            )
        return None if document is None else _lease_of(document, now, valid_until=asked_at + self._lease_s)

    async def _update(self, query: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
        with translated():
            result = await self._endpoints.update_one(query, [{"$set": fields}])
        return result.matched_count == 1


def due_at_latest(at: datetime) -> Sequence[Mapping[str, Any]]:
    """Return the update of an endpoint for which something is due at an instant, or earlier already."""
    # As an operator, `$min` would leave a null, which sorts before every date.
    due = {"$min": ["$next_due_at", at]}
    return [{"$set": {"next_due_at": due, "work": {"$add": [{"$ifNull": ["$work", 0]}, 1]}}}]


def _held(lease: Lease) -> dict[str, Any]:
    # A renewal that comes after the release must not bring the lease back.
    return {"_id": lease.endpoint.endpoint_id, "epoch": lease.epoch, "lease": {"$ne": None}}


def _is_same(lease: Lease) -> Mapping[str, Any]:
    """Say, as an expression, whether the endpoint has not begun again since the lease was taken."""
    return {"$eq": [{"$ifNull": ["$beginnings", 0]}, lease.beginnings]}


def _unless_outdated(lease: Lease, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"$cond": [_is_same(lease), new, f"${name}"]} for name, new in fields.items()}


def _health_fields(lease: Lease) -> dict[str, Any]:
    health = lease.health
    return _unless_outdated(lease, {"failures": health.failures, "failing_since": health.failing_since})


def _lease_of(document: Document, now: datetime, *, valid_until: float) -> Lease:
    failures = document.get("failures", 0)
    return Lease(
        endpoint=endpoint_of(document),
        secrets=secrets_of(document, now),
        health=Health(failures, document.get("failing_since")) if failures else HEALTHY,
        rest_until=document.get("rest_until"),
        epoch=document["epoch"],
        work=document.get("work", 0),
        beginnings=document.get("beginnings", 0),
        valid_until=valid_until,
    )
