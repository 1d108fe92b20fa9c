"""The read side, over the documents that `InMemoryShipmentStore` writes."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta

from domain.errors import TooMuchToRead
from domain.ports.core import Document
from domain.ports.queries import (
    EVER,
    EVERYTHING,
    DeadLetterFilter,
    EventFilter,
    Page,
    Position,
    Scope,
    ShipmentFilter,
    Window,
)
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from tests.support.fakes.documents import shown_shipment
from tests.support.fakes.faults import Faults
from tests.support.fakes.pages import Key, by_time, page_of
from tests.support.fakes.scopes import is_in
from tests.support.fakes.shipments import Documents

_DESCRIPTION = {"origin", "destination", "package", "reference", "estimated_delivery"}
_OF_HOLDS = ("hold", "released", "released_by")
_INTERNAL = frozenset({"fingerprint", "last_offset", "request_key", "version", *_OF_HOLDS, *_DESCRIPTION})
_SHIPMENT_NAMES = "created_at", "tracking_number"


class InMemoryShipmentReader(Faults):
    """Reads shipments; looks at no more than `most` of them where no index would know what is asked."""

    def __init__(self, documents: Documents, *, most: int = 20_000) -> None:
        super().__init__()
        self._shipments = documents.shipments
        self._most = most

    async def get(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> Document | None:
        """Return a shipment with its history, or None if there is none in `scope`."""
        with self.around("get"):
            shipment = self._shipments.get(tracking_number)
            if shipment is None or not is_in(scope, shipment):
                return None
            return shown_shipment(shipment)

    async def exists(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> bool:
        """Say whether there is such a shipment in `scope`."""
        with self.around("exists"):
            shipment = self._shipments.get(tracking_number)
            return shipment is not None and is_in(scope, shipment)

    async def exists_outside(self, tracking_number: TrackingNumber, scope: Scope) -> bool:
        """Say whether there is such a shipment outside of `scope`."""
        with self.around("exists_outside"):
            shipment = self._shipments.get(tracking_number)
            return shipment is not None and not is_in(scope, shipment)

    async def page(self, matching: ShipmentFilter, window: Window) -> Page:
        """Return a part of the list of shipments."""
        with self.around("page"):
            found = [shown_shipment(each) for each in self._shipments.values() if _matches(each, matching)]
            if matching.updated != EVER:
                if len(found) > self._most:
                    raise TooMuchToRead("too many")
                found = [each for each in found if matching.updated.holds(each["updated_at"])]
            if matching.prefix is not None and matching.client_id is None and matching.reference is None:
                return page_of(found, window, names=_SHIPMENT_NAMES, order=_by_id)
            return page_of(found, window, names=_SHIPMENT_NAMES, order=by_time, newest_first=True)


class InMemoryEventReader(Faults):
    """Reads the audit log."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._events = documents.events

    async def get(self, event_id: EventId, scope: Scope = EVERYTHING) -> Document | None:
        """Return an event with its outcome, or None if there is none in `scope`."""
        with self.around("get"):
            event = self._events.get(event_id)
            return _shown(event) if event is not None and is_in(scope, event) else None

    async def exists_outside(self, event_id: EventId, scope: Scope) -> bool:
        """Say whether there is such an event outside of `scope`."""
        with self.around("exists_outside"):
            event = self._events.get(event_id)
            return event is not None and not is_in(scope, event)

    async def page(self, matching: EventFilter, window: Window) -> Page:
        """Return a part of a shipment's audit trail, oldest first."""
        with self.around("page"):
            found = [_shown(event) for event in self._events.values() if _belongs(event, matching)]
            return page_of(found, window, names=("timestamp", "event_id"), order=_creation_first)


class InMemoryDeadLetterReader(Faults):
    """Reads dead letters."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._dead_letters = documents.dead_letters

    async def get(self, dead_letter_id: str) -> Document | None:
        """Return a dead dead_letter, or None."""
        with self.around("get"):
            return deepcopy(self._dead_letters.get(dead_letter_id))

    async def page(self, matching: DeadLetterFilter, window: Window) -> Page:
        """Return a part of the list of dead letters, newest first."""
        with self.around("page"):
            found = [
                dead_letter
                for dead_letter in self._dead_letters.values()
                if matching.state in (None, dead_letter["state"])
                and matching.reason in (None, dead_letter["reason"])
                and matching.tracking_number in (None, dead_letter["tracking_number"])
                and matching.recorded.holds(dead_letter["recorded_at"])
            ]
            return page_of(found, window, names=("recorded_at", "id"), order=by_time, newest_first=True)


def _shown(event: Document) -> Document:
    shown = deepcopy({name: value for name, value in event.items() if name not in _INTERNAL})
    for other in shown.get("other_payloads", []):
        del other["fingerprint"]
    return shown


def _matches(shipment: Document, matching: ShipmentFilter) -> bool:
    return (
        matching.client_id in (None, shipment["client_id"])
        and (not matching.statuses or shipment["current_status"] in matching.statuses)
        and matching.reference in (None, shipment.get("reference"))
        and shipment["tracking_number"].startswith(matching.prefix or "")
        and matching.created.holds(shipment["created_at"])
    )


def _belongs(event: Document, matching: EventFilter) -> bool:
    return (
        event["tracking_number"] == matching.tracking_number
        and (matching.client_id is None or event["client_id"] in (None, matching.client_id))
        and matching.outcome in (None, event["outcome"])
        and (matching.status is None or _reports(event, matching.status))
        and matching.source in (None, event["source"])
        and (not matching.conflicting or event["conflicts"] > 0 or "other_payloads" in event)
        and matching.period.holds(_instant(Position(event["timestamp"], event["event_id"])))
    )


def _reports(event: Document, status: Status) -> bool:
    return event["status"] == status and not {"changes", "checkpoint", "retraction"} & event.keys()


def _creation_first(place: Position) -> Key:
    return _instant(place), not place.id.endswith("_created"), place.id


def _instant(place: Position) -> datetime:
    """Return the time in an event's id; a creation's has none, a retraction's has that of its event."""
    instant_ms = place.id.split("_")[2]
    if instant_ms == "created":
        return place.instant
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(instant_ms, 16))


def _by_id(place: Position) -> Key:
    return (place.id,)
