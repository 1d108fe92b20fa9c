"""What schemathesis cannot know from the document: how values of our own formats are made.

Loaded by its command, by name (`SCHEMATHESIS_HOOKS`).
"""

from datetime import UTC, datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies

from domain.identity import event_id
from domain.tracking_number import ENTROPY_BYTES, tracking_number_from

OFFSETS = strategies.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = strategies.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis asks for naive bounds
    datetime(2026, 1, 1),  # noqa: DTZ001
    timezones=OFFSETS,
)
NUMBERS = strategies.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES).map(tracking_number_from)
EVENT_IDS = strategies.builds(
    event_id, NUMBERS, INSTANTS.map(lambda instant: instant.astimezone(UTC)), strategies.just("scanner-1")
)

schemathesis.openapi.format("tracking-number", NUMBERS)
schemathesis.openapi.format("event-id", EVENT_IDS)
schemathesis.openapi.format("date-time", INSTANTS.map(datetime.isoformat))
