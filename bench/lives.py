"""The soak's load in blocks: each is generated from its number on demand, so nothing is stored."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.load import WALK, Event, disturbed, status_event

from domain.shipments.event_identity import EventId, creation_event_id, event_id
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number
from domain.timestamps import parse_timestamp

SHIPMENTS: Final = 400
BY_HTTP: Final = 20
"""Number of a block's shipments registered one by one through the API."""

CREATOR: Final = "admin_user"
AWAITED: Final = 10
"""Number of a block's shipments whose pick-up is posted by itself and waited for."""


@dataclass(frozen=True, slots=True)
class Block:
    """A number of shipments, with everything sent for them.

    Attributes:
        singles: posted one by one, with `Prefer: wait`.
        steps: then, one after the other; what stands within one may be posted in any batches, in order.
    """

    numbers: Sequence[TrackingNumber]
    singles: Sequence[Event]
    steps: Sequence[Sequence[Event]]

    @property
    def events(self) -> int:
        """Number of events, creations included."""
        return len(self.numbers) + len(self.singles) + sum(len(step) for step in self.steps)

    def expected(self) -> Counter[EventId]:
        """Expected number of occurrences of each event in the log."""
        counts = Counter(creation_event_id(number) for number in self.numbers)
        for events in (self.singles, *self.steps):
            counts.update(_id_of(event) for event in events)
        return counts


def idempotency_key(seed: int, index: int) -> str:
    """Return the idempotency key with which a shipment is registered: its tracking number follows from it."""
    return f"soak-{seed}-{index}"


def block_of(seed: int, index: int) -> Block:
    """Return a block by its number."""
    rng = random.Random(f"{seed}-{index}")  # noqa: S311  # a load, not a secret
    first = index * SHIPMENTS
    numbers = [
        derive_tracking_number(CREATOR, idempotency_key(seed, first + each), 0) for each in range(SHIPMENTS)
    ]
    singles = [status_event(number, WALK[0], 0, at) for at, number in enumerate(numbers[:AWAITED])]
    steps = [
        [
            event
            for at, number in enumerate(numbers)
            if step > 0 or at >= AWAITED
            for event in disturbed(rng, number, status, step, at)
        ]
        for step, status in enumerate(WALK)
    ]
    return Block(numbers, singles, steps)


def _id_of(event: Event) -> EventId:
    return event_id(event["tracking_number"], parse_timestamp(event["timestamp"]), event["source"])
