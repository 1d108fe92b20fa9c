"""The state of a shipment: where it is, when it comes, and how old that news is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.shipments.public_view import PublicShipment
from domain.shipments.status import Status, is_terminal
from domain.timestamps import format_timestamp
from portal.tracking import words
from portal.tracking.reading import Reading, TimeView
from portal.web.labels import checkpoint_label, status_label
from portal.web.languages import message

WAY: Final = (
    Status.CREATED,
    Status.PICKED_UP,
    Status.IN_WAREHOUSE,
    Status.IN_TRANSIT,
    Status.DELIVERED,
)
"""The statuses of a shipment that arrives, in order."""
TROUBLES: Final = frozenset({"delivery_failed", "on_hold", "returning"})


@dataclass(frozen=True, slots=True)
class ProgressView:
    """Position on the way: `done` of `total` steps are made."""

    done: int
    total: int

    @property
    def steps(self) -> tuple[str, ...]:
        """The state of each step: done, current or open."""
        return tuple(
            "done" if step < self.done else "current" if step == self.done else "open"
            for step in range(1, self.total + 1)
        )


@dataclass(frozen=True, slots=True)
class StateView:
    """The state of a shipment.

    Attributes:
        heading: the state, in words.
        tone: `moving`, `trouble`, `arrived` or `ended`; it supports the words.
        arrival: sentence about the expected delivery; None if nobody said.
        is_late: the expected delivery has passed.
        news: exact time of the last change.
        news_ago: the same, in words.
        progress: None for a shipment that will not arrive.
        may_change: something may still follow.
    """

    heading: str
    tone: str
    arrival: str | None
    is_late: bool
    news: TimeView
    news_ago: str
    progress: ProgressView | None
    may_change: bool


def state_of(shipment: PublicShipment, reading: Reading) -> StateView:
    """Return the state of a shipment."""
    language, now = reading.language, reading.now
    latest = reading.local_times(shipment.steps)[-1]
    zone = latest.tzinfo or reading.zone
    news = shipment.updated_at.astimezone(zone)
    may_change = not is_terminal(shipment.current_status)
    expected = shipment.expected if may_change else None
    return StateView(
        heading=_heading(shipment, latest, reading),
        tone=_tone(shipment),
        arrival=None if expected is None else words.arrival(expected, now, zone, language),
        is_late=expected is not None and expected.latest < now,
        news=time_view(news, words.exactly(news, language)),
        news_ago=words.how_long_ago(news, now, language),
        progress=_progress(shipment.current_status),
        may_change=may_change,
    )


def time_view(local: datetime, text: str) -> TimeView:
    """Return a local time with its text."""
    offset = local.utcoffset() or timedelta()
    return TimeView(format_timestamp(local), text, offset // timedelta(minutes=1))


def _heading(shipment: PublicShipment, latest: datetime, reading: Reading) -> str:
    language, last = reading.language, shipment.steps[-1]
    if last.checkpoint is not None:
        return checkpoint_label(last.checkpoint, language)
    day = words.on_day(latest.date(), reading.today(latest.tzinfo), language)
    match shipment.current_status:
        case Status.DELIVERED:
            return language.gettext(message("Delivered %(day)s")) % {"day": day}
        case Status.CANCELLED:
            return language.gettext(message("Cancelled %(day)s")) % {"day": day}
        case status:
            return status_label(status, language)


def _tone(shipment: PublicShipment) -> str:
    match shipment.current_status:
        case Status.DELIVERED:
            return "arrived"
        case Status.CANCELLED:
            return "ended"
        case _:
            return "trouble" if shipment.steps[-1].checkpoint in TROUBLES else "moving"


def _progress(status: Status) -> ProgressView | None:
    return ProgressView(WAY.index(status) + 1, len(WAY)) if status in WAY else None
