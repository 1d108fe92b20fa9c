"""Circumstances in which a page is read."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from domain.shipments.public_view import PublicStep
from portal.tracking.words import zone_at
from portal.web.languages import Language


@dataclass(frozen=True, slots=True)
class Reading:
    """Reader of a page, and the time of reading.

    Attributes:
        zone: of times that came without an offset.
    """

    language: Language
    now: datetime
    zone: tzinfo

    def local_time(self, step: PublicStep) -> datetime:
        """Return the time of a step where it happened."""
        return step.timestamp.astimezone(zone_at(step.utc_offset, self.zone))

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
