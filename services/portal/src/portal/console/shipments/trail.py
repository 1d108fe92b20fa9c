"""The trail of a shipment: every event that was sent for it, with its outcome and the reason of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from domain.shipments.rejection import RejectionReason
from portal.console.api import Json, UserApi, path_to
from portal.web.languages import message

TRAIL_LENGTH: Final = 25
OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "applied": message("Applied"),
        "rejected": message("Rejected"),
        "dead": message("Dead-lettered"),
        "conflict": message("Conflicting"),
    }
)
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        RejectionReason.EVENT_NOT_FOUND: message("There is no such event."),
        RejectionReason.FORBIDDEN: message("The sender may not change this shipment."),
        RejectionReason.IDEMPOTENCY_CONFLICT: message(
            "Another payload of this event came first, and counts."
        ),
        RejectionReason.INCOMPLETE_DIMENSIONS: message(
            "The shipment had no dimensions yet: all three are needed."
        ),
        RejectionReason.INVALID_TRANSITION: message("The status of the shipment did not allow this."),
        RejectionReason.NOT_THE_LATEST: message("Only the last event of the history can be retracted."),
        RejectionReason.PRECONDITION_FAILED: message(
            "The shipment had another version than the one asked for."
        ),
        RejectionReason.RETRACTED: message("It was retracted."),
        RejectionReason.SHIPMENT_NOT_FOUND: message("There was no such shipment."),
        RejectionReason.TRACKING_NUMBER_TAKEN: message("The tracking number belongs to another shipment."),
    }
)


@dataclass(frozen=True, slots=True)
class TrailRow:
    """An event.

    Attributes:
        kind: what it is: status, checkpoint, amendment or retraction.
        name: of the status or checkpoint; of the event that is retracted.
        outcome: key of `OUTCOMES`.
        reason: why it was not applied, as a message; None where it was.
        current_status: the shipment's when the event was rejected, where it is known.
        may_follow: the statuses that would have been allowed.
        held_until: it is applied when it becomes legal, up to then.
        duplicates: how often it was sent again.
        conflicts: how often it was sent with another payload.
    """

    event_id: str
    kind: str
    name: str
    timestamp: str
    recorded_at: str
    source: str
    submitted_by: str
    outcome: str
    reason: str | None
    current_status: str | None
    may_follow: tuple[str, ...]
    held_until: str | None
    duplicates: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class TrailView:
    """A page of a shipment's trail, oldest first.

    Attributes:
        chosen: the outcome that is filtered by; None: all.
        outcomes: names of all outcomes, as messages.
    """

    chosen: str | None
    outcomes: Mapping[str, str]
    rows: tuple[TrailRow, ...]
    total: int
    next_cursor: str | None
    is_first: bool


async def read_trail(api: UserApi, number: str, *, outcome: str | None, cursor: str | None) -> TrailView:
    """Return a page of the trail; the errors are those of `UserApi.call`."""
    chosen = outcome if outcome in OUTCOMES else None
    path = path_to("shipments", number, "events")
    page = await api.list_page(path, limit=TRAIL_LENGTH, outcome=chosen, cursor=cursor)
    rows = tuple(trail_row(each) for each in page.data)
    return TrailView(chosen, OUTCOMES, rows, page.total, page.next_cursor, is_first=cursor is None)


def trail_row(event: Json) -> TrailRow:
    """Return an event of the API as a line of the trail."""
    kind, name = _kind_and_name(event)
    reason = event["reason"]
    return TrailRow(
        event_id=event["event_id"],
        kind=kind,
        name=name,
        timestamp=event["timestamp"],
        recorded_at=event["recorded_at"],
        source=event["source"],
        submitted_by=event["submitted_by"],
        outcome=event["outcome"],
        reason=REASONS.get(reason, reason),
        current_status=event.get("current_status"),
        may_follow=tuple(event.get("may_follow", ())),
        held_until=event.get("held_until"),
        duplicates=event["duplicates"],
        conflicts=event["conflicts"],
    )


def _kind_and_name(event: Json) -> tuple[str, str]:
    if "retraction" in event:
        return "retraction", event["retraction"]["event_id"]
    if "changes" in event:
        return "amendment", ", ".join(sorted(event["changes"]))
    if "checkpoint" in event:
        return "checkpoint", event["checkpoint"]
    return "status", event["status"] or ""
