"""Use case: amend or cancel a shipment. Whether that is allowed is the processor's to say: only it knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from domain.access.permissions import client_reach
from domain.errors import ErrorCode
from domain.ports.core import Clock, Reply
from domain.shipments.commands import AmendShipment, ReportStatus, ShipmentChanges
from domain.shipments.event_identity import API_SOURCE, event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import to_milliseconds
from ingest_api.use_cases.submission import CommandSubmitter, SubmissionContext

_MILLISECOND: Final = timedelta(milliseconds=1)
_ATTEMPTS: Final = 3

ShipmentCommand = AmendShipment | ReportStatus


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a request so far: `answer` is None while it waits to be applied."""

    command: ShipmentCommand
    answer: Reply | None


class ShipmentChanger:
    """Writes amendments and cancellations to the log and waits for their outcome.

    Their ids are made of shipment, instant and `api`. One replica never uses an instant twice; if two
    replicas use the same one, the second change is a conflict, and is written again at a later instant.
    """

    def __init__(self, log: CommandSubmitter, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._last: datetime | None = None

    async def amend(
        self, number: TrackingNumber, changes: Mapping[str, Any], asker: SubmissionContext
    ) -> Change:
        """Change what a shipment is; blocks until that is judged, at most as long as asked.

        Raises:
            NotPublished: nothing was written.
            PublishUnknown: it may have been written; writing it again is another, equal change.
        """

        def command_at(instant: datetime) -> AmendShipment:
            return AmendShipment(
                event_id=event_id(number, instant, API_SOURCE),
                tracking_number=number,
                changes=cast("ShipmentChanges", changes),
                timestamp=instant,
                received_at=instant,
                submitted_by=asker.principal.subject,
                on_behalf_of=client_reach(asker.principal),
                expected_versions=asker.expected_versions,
            )

        return await self._write(command_at, asker)

    async def cancel(self, number: TrackingNumber, asker: SubmissionContext) -> Change:
        """Cancel a shipment; blocks until that is judged, at most as long as asked.

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
                submitted_by=asker.principal.subject,
                on_behalf_of=client_reach(asker.principal),
                expected_versions=asker.expected_versions,
            )

        return await self._write(command_at, asker)

    async def _write(
        self, command_at: Callable[[datetime], ShipmentCommand], asker: SubmissionContext
    ) -> Change:
        for _ in range(_ATTEMPTS):
            command = command_at(self._instant())
            change = Change(command, await self._log.append(command, asker))
            if change.answer is None or change.answer.reason is not ErrorCode.IDEMPOTENCY_CONFLICT:
                break
        return change

    def _instant(self) -> datetime:
        """Return the time, or the millisecond after the last one given, whichever is later."""
        now = to_milliseconds(self._clock.now())
        self._last = now if self._last is None else max(now, self._last + _MILLISECOND)
        return self._last
