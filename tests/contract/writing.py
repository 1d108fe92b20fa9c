"""The two sides of the store, and a writer that puts commands through the rules, as the processor does."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.ports.core import Document, EventReader, Fence, ShipmentReader, ShipmentStore
from domain.ports.dead_letters import DeadLetterReader
from domain.ports.live import StatusReader
from domain.processing.batch import Plan
from domain.shipments.commands import Command, ReportStatus, RetractEvent
from tests.support.builders import RECORDED_AT, consumed_all, ends_at, plan_for


@dataclass(frozen=True, slots=True)
class Storage:
    """The writing side and the reading ones, over the same documents."""

    store: ShipmentStore
    shipments: ShipmentReader
    events: EventReader
    dead_letters: DeadLetterReader
    statuses: StatusReader
    put_dead_letters: Callable[[Sequence[Document]], Awaitable[None]]


@dataclass
class Writer:
    """The owner of a partition, who looks everything up first; its next command stands at `offset`."""

    store: ShipmentStore
    fence: Fence
    offset: int = 0

    @classmethod
    async def of(cls, store: ShipmentStore) -> "Writer":
        """Take the partition over."""
        return cls(store, await store.acquire("shipments.events/3", owner="test", end_offset=ends_at(1_000)))

    async def write(self, *commands: Command, hold: timedelta | None = None) -> None:
        """Judge commands and commit what becomes of them, in one batch; early ones are held for `hold`."""
        records = [replace(each, hold=hold) for each in consumed_all(*commands, first_offset=self.offset)]
        shipments = await self.store.load({command.tracking_number for command in commands})
        retractions = Counter(each.tracking_number for each in commands if isinstance(each, RetractEvent))
        histories = await self.store.load_histories(retractions)
        asked = {command.event_id for command in commands}
        asked |= {command.retracts for command in commands if isinstance(command, RetractEvent)}
        known = await self.store.find_events(asked)
        await self.commit(plan_for(records, shipments, known, histories))

    async def commit(self, plan: Plan) -> None:
        """Commit a plan."""
        [self.fence] = await self.store.commit([(self.fence, plan)], recorded_at=RECORDED_AT)
        self.offset = plan.next_offset


def superseded(command: ReportStatus, *, offset: int, reason: str) -> Document:
    """Return what is shown of a payload that does not stand."""
    return {
        "status": command.status.value,
        "location": None,
        "notes": command.notes,
        "submitted_by": "driver_user_001",
        "received_at": command.received_at,
        "offset": offset,
        "reason": reason,
    }
