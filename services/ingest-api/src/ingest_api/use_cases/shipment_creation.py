"""Use case: register a shipment and wait until it exists."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Any

from domain.access.permissions import Principal
from domain.ports.core import Clock, Reply
from domain.shipments.commands import DESCRIBED, CreateShipment
from domain.shipments.event_identity import creation_event_id
from domain.shipments.rejection import RejectionReason
from domain.shipments.tracking_number import (
    ENTROPY_BYTES,
    TrackingNumber,
    derive_tracking_number,
    tracking_number_from,
)
from ingest_api.use_cases.submission import CommandSubmitter, SubmissionContext


@dataclass(frozen=True, slots=True)
class Creation:
    """A submitted creation and its outcome so far; `reply` is None while it is pending."""

    command: CreateShipment
    reply: Reply | None


class ShipmentCreator:
    """Submits creations and waits for their outcomes."""

    def __init__(
        self,
        log: CommandSubmitter,
        clock: Clock,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._log = log
        self._clock = clock
        self._entropy = entropy

    async def create(
        self,
        shipment: Mapping[str, Any],
        client_id: str,
        context: SubmissionContext,
        *,
        idempotency_key: str | None,
    ) -> Creation:
        """Register a shipment for `client_id`; blocks until it is applied, at most `wait_s`.

        With a key, repeating the request leads to the same shipment. If another shipment has the number
        already (one in 2^55), the next one is tried.

        Raises:
            NotPublished: nothing was written.
            PublishUnknown: it may have been written; with a key it is safe to repeat.
        """
        for number in self._numbers(context.principal, idempotency_key):
            creation = await self._attempt(number, shipment, client_id, context, idempotency_key)
            if creation.reply is None or creation.reply.reason is not RejectionReason.TRACKING_NUMBER_TAKEN:
                return creation
        raise AssertionError("tracking numbers are endless")

    def _numbers(self, principal: Principal, key: str | None) -> Iterator[TrackingNumber]:
        for attempt in count():
            if key is None:
                yield tracking_number_from(self._entropy(ENTROPY_BYTES))
            else:
                yield derive_tracking_number(principal.subject, key, attempt)

    async def _attempt(
        self,
        number: TrackingNumber,
        shipment: Mapping[str, Any],
        client_id: str,
        context: SubmissionContext,
        key: str | None,
    ) -> Creation:
        now = self._clock.now()
        command = CreateShipment(
            event_id=creation_event_id(number),
            tracking_number=number,
            client_id=client_id,
            timestamp=now,
            received_at=now,
            submitted_by=context.principal.subject,
            request_key=None if key is None else _request_key(context.principal, key),
            **{name: shipment[name] for name in DESCRIBED if name in shipment},
        )
        return Creation(command, await self._log.append(command, context))


def _request_key(principal: Principal, key: str) -> str:
    return blake2b(f"{principal.subject}\0{key}".encode(), digest_size=16).hexdigest()
