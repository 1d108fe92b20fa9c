"""Circumstances in which a page is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from domain.shipments.public_view import PublicStep
from portal.tracking.words import zone_of
from portal.web.languages import Language


@dataclass(frozen=True, slots=True)
class Reading:
    """Reader of a page, and the time of reading.

    Attributes:
        zone: of a shipment whose times came without an offset.
    """

    language: Language
    now: datetime
    zone: tzinfo

    def local_times(self, steps: Sequence[PublicStep]) -> list[datetime]:
        """Return the times of steps where they happened.

        A step without an offset is in the zone of the one before it; the first ones, such as the creation by
        a request, in that of the first step that has one.
        """
        known = next((step.utc_offset for step in steps if step.utc_offset is not None), None)
        times = []
        for step in steps:
            known = step.utc_offset or known
            times.append(step.timestamp.astimezone(self.zone if known is None else zone_of(known)))
        return times

    def today(self, zone: tzinfo | None) -> date:
        """Return the present day in a zone."""
        return self.now.astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class TimeView:
    """A time.

    Attributes:
        iso: in UTC, for programs.
        text: for people.
        offset_min: of the zone that the text is in, in minutes from UTC.
    """

    iso: str
    text: str
    offset_min: int
