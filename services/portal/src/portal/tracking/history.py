"""The steps of a shipment: those that it has made, and those to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.shipments.public_view import PublicShipment, PublicStep
from domain.shipments.status import Status
from portal.tracking import words
from portal.tracking.reading import Reading, TimeView
from portal.tracking.state import WAY, time_view
from portal.web.labels import checkpoint_label, status_label
from portal.web.languages import Language, message


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that the shipment has made.

    Attributes:
        place: name of a place near it; None if it is not known, or not shown.
        is_current: it is the latest one.
        is_checkpoint: it is between two statuses.
    """

    label: str
    time: TimeView
    place: str | None
    is_checkpoint: bool
    is_current: bool


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


def history_of(shipment: PublicShipment, places: Sequence[str | None], reading: Reading) -> HistoryView:
    """Return the steps of a shipment.

    Args:
        shipment: whose steps they are.
        places: names of the places of its steps.
        reading: in which language and zone.
    """
    times = reading.local_times(shipment.steps)
    zones = {words.zone_name(local) for local in times}
    zone = zones.pop() if len(zones) == 1 else None
    last = len(shipment.steps) - 1
    steps = [
        StepView(
            label=_label(step, reading.language),
            time=_time(local, reading, names_zone=zone is None),
            place=place,
            is_checkpoint=step.checkpoint is not None,
            is_current=number == last,
        )
        for number, (step, local, place) in enumerate(zip(shipment.steps, times, places, strict=True))
    ]
    upcoming = [status_label(status, reading.language) for status in _upcoming(shipment.current_status)]
    return HistoryView(tuple(upcoming[::-1]), tuple(steps[::-1]), zone)


def _label(step: PublicStep, language: Language) -> str:
    if step.checkpoint is None:
        return status_label(step.status, language)
    return checkpoint_label(step.checkpoint, language)


def _time(local: datetime, reading: Reading, *, names_zone: bool) -> TimeView:
    language = reading.language
    text = words.day_and_time(local, reading.today(local.tzinfo), language)
    if names_zone:
        zoned = language.gettext(message("%(time)s (%(zone)s)"))
        text = zoned % {"time": text, "zone": words.zone_name(local)}
    return time_view(local, text)


def _upcoming(status: Status) -> Iterator[Status]:
    if status in WAY:
        yield from WAY[WAY.index(status) + 1 :]
