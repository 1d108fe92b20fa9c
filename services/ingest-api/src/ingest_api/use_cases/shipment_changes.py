"""Use case: amend or cancel a shipment; the processor decides whether that is allowed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from domain.access.permissions import client_reach
from domain.ports.core import Clock, Reply
from domain.shipments.commands import AmendShipment, ReportStatus, ShipmentChanges
from domain.shipments.event_identity import API_SOURCE, event_id
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import to_milliseconds
from ingest_api.use_cases.submission import CommandSubmitter, SubmissionContext

_MILLISECOND: Final = timedelta(milliseconds=1)
_ATTEMPTS: Final = 3

ShipmentCommand = AmendShipment | ReportStatus


@dataclass(frozen=True, slots=True)
class Change:
    """A submitted change and its outcome so far; `reply` is None while it is pending."""

    command: ShipmentCommand
    reply: Reply | None


class ShipmentChanger:
    """Submits amendments and cancellations and waits for their outcomes.

    Their event ids are derived from shipment, timestamp and `api`. One replica never uses a timestamp twice;
    if two replicas use the same one, the second change is a conflict, and is retried with a later one.
    """

    def __init__(self, log: CommandSubmitter, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._last: datetime | None = None

    async def amend(
        self, number: TrackingNumber, changes: Mapping[str, Any], context: SubmissionContext
    ) -> Change:
        """Change fields of a shipment; blocks until the change is judged, at most `wait_s`.

        Raises:
            NotPublished: nothing was written.
            PublishUnknown: it may have been written; repeating it is another, equal change.
        """

        def command_at(instant: datetime) -> AmendShipment:
            return AmendShipment(
                event_id=event_id(number, instant, API_SOURCE),
                tracking_number=number,
                changes=cast("ShipmentChanges", changes),
                timestamp=instant,
                received_at=instant,
                submitted_by=context.principal.subject,
                on_behalf_of=client_reach(context.principal),
                expected_versions=context.expected_versions,
            )

        return await self._write(command_at, context)

    async def cancel(self, number: TrackingNumber, context: SubmissionContext) -> Change:
        """Cancel a shipment; blocks until that is judged, at most `wait_s`.

        Raises:
            NotPublished: nothing was written.
            PublishUnknown: it may have been written; a second cancellation is rejected.
        """

        def command_at(instant: datetime) -> ReportStatus:
            return ReportStatus(
                event_id=event_id(number, instant, API_SOURCE),
                tracking_number=number,
                status=Status.CANCELLED,
                timestamp=instant,
                source=API_SOURCE,
                received_at=instant,
                submitted_by=context.principal.subject,
                on_behalf_of=client_reach(context.principal),
                expected_versions=context.expected_versions,
            )

        return await self._write(command_at, context)

    async def _write(
        self, command_at: Callable[[datetime], ShipmentCommand], context: SubmissionContext
    ) -> Change:
        for _ in range(_ATTEMPTS):
            command = command_at(self._instant())
            change = Change(command, await self._log.append(command, context))
            if change.reply is None or change.reply.reason is not RejectionReason.IDEMPOTENCY_CONFLICT:
                break
        return change

    def _instant(self) -> datetime:
        """Return the current time, or the millisecond after the last one returned, whichever is later."""
        now = to_milliseconds(self._clock.now())
        self._last = now if self._last is None else max(now, self._last + _MILLISECOND)
        return self._last
