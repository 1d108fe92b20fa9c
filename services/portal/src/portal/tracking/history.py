"""The steps of a shipment: those that it has made, and those to come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.shipments.public_view import PublicShipment, PublicStep
from domain.shipments.status import Status
from portal.tracking import words
from portal.tracking.reading import Reading, TimeView
from portal.tracking.state import WAY, time_view
from portal.web.labels import checkpoint_label, status_label
from portal.web.languages import message


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that the shipment has made.

    Attributes:
        place: name of a place near it; None if it is not known, or not shown.
        is_checkpoint: it is between two statuses.
    """

    label: str
    time: TimeView
    place: str | None
    is_checkpoint: bool


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The steps of a shipment.

    Attributes:
        upcoming: steps to come, the last one first.
        steps: steps made, the newest first.
        zone: zone of all times; None if they differ, then each names its own.
    """

    upcoming: tuple[str, ...]
    steps: tuple[StepView, ...]
    zone: str | None


def history_of(shipment: PublicShipment, reading: Reading) -> HistoryView:
    """Return the steps of a shipment."""
    local = [reading.local_time(step) for step in shipment.steps]
    zones = {words.zone_name(each) for each in local}
    zone = zones.pop() if len(zones) == 1 else None
    steps = [
        _step(step, at, reading, names_zone=zone is None)
        for step, at in zip(shipment.steps, local, strict=True)
    ]
    upcoming = [status_label(status, reading.language) for status in _upcoming(shipment.current_status)]
    return HistoryView(tuple(upcoming[::-1]), tuple(steps[::-1]), zone)


def _step(step: PublicStep, local: datetime, reading: Reading, *, names_zone: bool) -> StepView:
    language = reading.language
    text = words.day_and_time(local, reading.today(local.tzinfo), language)
    if names_zone:
        zoned = language.gettext(message("%(time)s (%(zone)s)"))
        text = zoned % {"time": text, "zone": words.zone_name(local)}
    if step.checkpoint is None:
        label = status_label(step.status, language)
    else:
        label = checkpoint_label(step.checkpoint, language)
    return StepView(label, time_view(local, text), None, step.checkpoint is not None)


def _upcoming(status: Status) -> Iterator[Status]:
    if status in WAY:
        yield from WAY[WAY.index(status) + 1 :]
