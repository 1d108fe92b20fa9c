"""What the suites of the line are run on: fences, notes, and what operators say."""

from dataclasses import dataclass
from typing import Final

from domain.ports.core import ActionLog, Document, ShipmentStore
from domain.ports.partitions import PartitionControl, PartitionStateStore, QuarantineStore
from domain.ports.queries import ActionFilter, Window
from domain.processing.halts import Quarantined
from tests.support.builders import NOON, number

TOPIC: Final = "shipments.events"


@dataclass(frozen=True, slots=True)
class PartitionStores:
    """The ports, on one store."""

    shipments: ShipmentStore
    notes: PartitionStateStore
    control: PartitionControl
    quarantine: QuarantineStore
    actions: ActionLog

    async def deeds(self) -> list[Document]:
        """Return what operators have done, first to last."""
        page = await self.actions.page(ActionFilter(), Window(limit=100))
        return page.data[::-1]

    def quarantined(self, index: int) -> Quarantined:
        """Return an entry for one of the shipments of tests."""
        return Quarantined(
            tracking_number=number(index), reason="a bug", since=NOON, requested_by="admin_user"
        )
