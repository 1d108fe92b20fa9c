"""Stores for the contract suites of partitions: fences, state, and operators' requests."""

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
    state: PartitionStateStore
    control: PartitionControl
    quarantine: QuarantineStore
    actions: ActionLog

    async def operator_actions(self) -> list[Document]:
        """Return the operator actions, first to last."""
        page = await self.actions.page(ActionFilter(), Window(limit=100))
        return page.data[::-1]

    def quarantined(self, index: int) -> Quarantined:
        """Return an entry for one of the shipments of tests."""
        return Quarantined(
            tracking_number=number(index), reason="a bug", since=NOON, requested_by="admin_user"
        )
