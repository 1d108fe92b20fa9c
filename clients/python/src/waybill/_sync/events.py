"""Events."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Unpack

from waybill._sync.connection import Connection
from waybill.batches import joined, parts_of, relocated, shifted
from waybill.errors import BadRequest
from waybill.fields import EventFields
from waybill.models import Applied, Event, Queued, QueuedBatch, QueuedItem, RejectedItem
from waybill.operations import GET_EVENT, REPORT_EVENT, REPORT_EVENTS, RETRACT_EVENT
from waybill.transport import Call, Reply
from waybill.values import instant_text, without_none


class Events:
    """Events of shipments: report, look up, retract."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def report(
        self,
        tracking_number: str,
        status: str | None = None,
        *,
        timestamp: datetime | str | None = None,
        wait: float | None = None,
        **fields: Unpack[EventFields],
    ) -> Applied | Queued:
        """Report an event: `Queued`, or `Applied` if `wait` is given and it was applied in that time.

        The same shipment, source and timestamp are the same event, however often it is sent.

        Args:
            tracking_number: of the shipment.
            status: such as `picked_up`; None if `checkpoint` is given.
            timestamp: when it happened: an aware datetime, or RFC 3339 text; None: now.
            wait: seconds to wait for the outcome, at most 30; None: do not wait.
            fields: `source`, which is required: the scanner, driver or system; `checkpoint`, `location`,
                `notes`, `signed_by`.

        Raises:
            ValueError: the timestamp has no zone, or the wait is longer.
            BadRequest: a field is invalid; `details` names it.
            Conflict: the shipment's status does not allow it; only if `wait` is given.
            NotFound: there is no such shipment; only if `wait` is given.
        """
        body = without_none(
            tracking_number=tracking_number, status=status, timestamp=instant_text(timestamp), **fields
        )
        return _outcome(self._connection.call(Call(operation=REPORT_EVENT, body=body, wait_s=wait)))

    def report_batch(self, events: Iterable[Mapping[str, Any]], *, lenient: bool = False) -> QueuedBatch:
        """Report events in their order, in requests of up to 500.

        Args:
            events: each with the fields of `report` and its `tracking_number`. Without a timestamp it
                happened now.
            lenient: queue the valid ones, and list the others in the result with what is wrong with them.

        Returns:
            The queued and rejected events, each with its index in `events`.

        Raises:
            ValueError: an event cannot be sent; those of earlier requests are queued.
            BadRequest: an event is invalid, and not `lenient`: `details` names all of its request, which is
                not queued; those of earlier requests are. Sending all again is harmless.
        """
        preference = {"Prefer": "handling=lenient"} if lenient else {}
        items: list[QueuedItem | RejectedItem] = []
        received = 0
        for part in parts_of(events):
            call = Call(operation=REPORT_EVENTS, ndjson=part.ndjson, headers=preference)
            try:
                reply = self._connection.call(call)
            except BadRequest as error:
                raise relocated(error, part) from None
            items += shifted(reply.as_model(QueuedBatch), part.start)
            received += part.size
        return joined(items, received)

    def get(self, event_id: str) -> Event:
        """Return an event with its outcome.

        Raises:
            NotFound: there is no such event, or it was not processed yet: ask again after `retry_after`.
        """
        reply = self._connection.call(Call(operation=GET_EVENT, steps={"event_id": event_id}))
        return reply.as_model(Event)

    def retract(self, event_id: str, reason: str, *, wait: float | None = None) -> Applied | Queued:
        """Take back the last event of a shipment's history.

        Args:
            event_id: of the event.
            reason: for people; it is recorded.
            wait: seconds to wait for the outcome, at most 30; None: do not wait.

        Raises:
            BadRequest: the reason is invalid.
            Conflict: it is not the last one; only if `wait` is given.
            NotFound: there is no such event; only if `wait` is given.
        """
        call = Call(
            operation=RETRACT_EVENT, steps={"event_id": event_id}, body={"reason": reason}, wait_s=wait
        )
        return _outcome(self._connection.call(call))


def _outcome(reply: Reply) -> Applied | Queued:
    return reply.as_model(Queued) if reply.is_queued else reply.as_model(Applied)
