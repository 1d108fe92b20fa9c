"""Use case: report status events."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from domain.access.permissions import Principal
from domain.ports.core import Clock, CommandLog, Reply
from domain.shipments.commands import Location, ReportStatus
from domain.shipments.event_identity import event_id
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import to_milliseconds, utc_offset_of
from ingest_api.schemas.events import EventIn, LocationIn
from ingest_api.use_cases.submission import CommandSubmitter, SubmissionContext


class EventReporter:
    """Submits events to the log."""

    def __init__(self, log: CommandLog, submitter: CommandSubmitter, clock: Clock) -> None:
        self._log = log
        self._submitter = submitter
        self._clock = clock

    async def report_and_wait(
        self, event: EventIn, context: SubmissionContext
    ) -> tuple[ReportStatus, Reply | None]:
        """Append an event and return its command, with its outcome if there is one in time.

        Raises:
            NotPublished: the log does not hold it.
            PublishUnknown: the log may hold it; sending the same event again is safe.
        """
        command = _command(event, context.principal, self._clock.now())
        return command, await self._submitter.append(command, context)

    def commands(self, events: Sequence[EventIn], principal: Principal) -> list[ReportStatus]:
        """Return the commands of events, received now, in order."""
        received_at = self._clock.now()
        return [_command(event, principal, received_at) for event in events]

    async def report(self, commands: Sequence[ReportStatus], *, traceparent: str | None = None) -> None:
        """Append commands to the log; blocks until all in-sync replicas have them.

        Raises:
            NotPublished: none of them is in the log.
            PublishUnknown: some may be; sending the same events again is safe.
        """
        await self._log.append(commands, traceparent=traceparent)


def _command(event: EventIn, principal: Principal, received_at: datetime) -> ReportStatus:
    tracking_number = TrackingNumber(event["tracking_number"])
    timestamp = to_milliseconds(event["timestamp"])
    return ReportStatus(
        event_id=event_id(tracking_number, timestamp, event["source"]),
        tracking_number=tracking_number,
        status=event["status"],
        timestamp=timestamp,
        source=event["source"],
        received_at=received_at,
        submitted_by=principal.subject,
        location=_location(event.get("location")),
        notes=event.get("notes"),
        utc_offset=utc_offset_of(event["timestamp"]),
    )


def _location(given: LocationIn | None) -> Location | None:
    """Return a location without a null address, which counts as left out."""
    if given is not None and given.get("address", "") is None:
        return {"lat": given["lat"], "lng": given["lng"]}
    return cast("Location | None", given)
