"""Use case: register a shipment, and wait for it to exist."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import cast

from domain.commands import CreateShipment, Package, Place
from domain.errors import ErrorCode
from domain.identity import EventId, creation_event_id
from domain.permissions import Principal
from domain.ports import Answer, Clock, CommandLog
from domain.tracking_number import (
    ENTROPY_BYTES,
    TrackingNumber,
    derive_tracking_number,
    tracking_number_from,
)
from ingest_api.models import ShipmentIn
from storage.answers import AnswerInbox


@dataclass(frozen=True, slots=True)
class Creation:
    """What became of a request so far: `answer` is None while it waits to be applied."""

    tracking_number: TrackingNumber
    event_id: EventId
    client_id: str
    answer: Answer | None


class ShipmentCreator:
    """Writes creations to the log and waits for their outcome."""

    def __init__(
        self,
        log: CommandLog,
        inbox: AnswerInbox,
        clock: Clock,
        *,
        entropy: Callable[[int], bytes],
        wait_s: float,
    ) -> None:
        self._log = log
        self._inbox = inbox
        self._clock = clock
        self._entropy = entropy
        self._wait_s = wait_s

    async def create(
        self, shipment: ShipmentIn, client_id: str, principal: Principal, *, idempotency_key: str | None
    ) -> Creation:
        """Register a shipment for `client_id`; blocks until it is applied, at most `wait_s`.

        With a key, repeating the request leads to the same shipment. A number that somebody else's shipment
        has already (one in 2^55) is followed by the next one.

        Raises:
            NotPublished: nothing was written.
            PublishUnknown: it may have been written; with a key it is safe to repeat.
        """
        for number in self._numbers(principal, idempotency_key):
            creation = await self._attempt(number, shipment, client_id, principal, idempotency_key)
            if creation.answer is None or creation.answer.reason is not ErrorCode.TRACKING_NUMBER_TAKEN:
                return creation
        raise AssertionError("tracking numbers do not end")

    def _numbers(self, principal: Principal, key: str | None) -> Iterator[TrackingNumber]:
        for attempt in count():
            if key is None:
                yield tracking_number_from(self._entropy(ENTROPY_BYTES))
            else:
                yield derive_tracking_number(principal.subject, key, attempt)

    async def _attempt(
        self,
        number: TrackingNumber,
        shipment: ShipmentIn,
        client_id: str,
        principal: Principal,
        key: str | None,
    ) -> Creation:
        now = self._clock.now()
        command = CreateShipment(
            event_id=creation_event_id(number),
            tracking_number=number,
            client_id=client_id,
            origin=cast("Place", shipment["origin"]),
            destination=cast("Place", shipment["destination"]),
            package=cast("Package", shipment["package"]),
            timestamp=now,
            received_at=now,
            submitted_by=principal.subject,
            request_key=None if key is None else _request_key(principal, key),
        )
        return Creation(number, command.event_id, client_id, await self._outcome_of(command))

    async def _outcome_of(self, command: CreateShipment) -> Answer | None:
        if not self._inbox.is_open:
            await self._log.append([command])
            return None
        with self._inbox.expect() as (address, answer):
            await self._log.append([command], reply_to=address)
            try:
                return await asyncio.wait_for(answer, self._wait_s)
            except TimeoutError:
                return None


def _request_key(principal: Principal, key: str) -> str:
    return blake2b(f"{principal.subject}\0{key}".encode(), digest_size=16).hexdigest()
