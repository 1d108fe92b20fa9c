"""Reading the ledger through the API, waiting for what is accepted and not yet processed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from demo.ledger import EventState, Ledger, ShipmentState
from demo.progress import Advance
from demo.run.api import Api
from demo.run.workers import for_each
from domain.shipments.event_identity import EventId
from domain.shipments.tracking_number import TrackingNumber

_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.1
_SLOWDOWN: Final = 1.3


async def counted(api: Api, event_id: EventId, goal: int, *, patience_s: float) -> EventState | None:
    """Wait until `goal` deliveries of an event have been counted; return its state, reached or not."""
    deadline = perf_counter() + patience_s
    pause_s = _FIRST_PAUSE_S
    while True:
        state = await api.event(event_id)
        if (state.deliveries if state else 0) >= goal or perf_counter() > deadline:
            return state
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * _SLOWDOWN, _LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reader of the demo's ledger.

    Attributes:
        shipments: the numbers to look up, whether such a shipment exists or not.
        patience_s: how long one reading may wait, for all events together.
    """

    api: Api
    shipments: Sequence[TrackingNumber]
    patience_s: float

    async def read(self, goals: Mapping[EventId, int], advance: Advance) -> Ledger:
        """Read the events and the shipments.

        Args:
            goals: for each event, how many counted deliveries to wait for; 0 takes it as it is.
            advance: called for each event and shipment that was read.
        """
        deadline = perf_counter() + self.patience_s
        events: dict[EventId, EventState] = {}
        shipments: dict[TrackingNumber, ShipmentState] = {}

        async def read_event(event_id: EventId) -> None:
            left_s = deadline - perf_counter()
            if state := await counted(self.api, event_id, goals[event_id], patience_s=left_s):
                events[event_id] = state
            advance(1)

        async def read_shipment(number: TrackingNumber) -> None:
            if state := await self.api.shipment(number):
                shipments[number] = state
            advance(1)

        await for_each(goals, read_event)
        await for_each(self.shipments, read_shipment)
        return Ledger(events, shipments)


def goals_after(before: Ledger, sent: Counter[EventId]) -> dict[EventId, int]:
    """Return how many deliveries of each event must be counted once everything sent is processed."""
    return {
        event_id: times + (before.events[event_id].deliveries if event_id in before.events else 0)
        for event_id, times in sent.items()
    }
