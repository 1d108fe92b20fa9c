"""Partition state, resume requests and quarantine, in memory."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from domain.access.operator_actions import OperatorAction
from domain.errors import Fenced
from domain.ports.core import Fence
from domain.processing.halts import (
    Attempt,
    Halt,
    PartitionView,
    Quarantined,
    QuarantinePut,
    Resumption,
    accepted,
    quarantined,
    released,
    resumed,
)
from domain.shipments.tracking_number import TrackingNumber
from tests.support.fakes.actions import document_of
from tests.support.fakes.faults import Faults
from tests.support.fakes.shipments import Documents, StoredPartitionState


class InMemoryPartitionStateStore(Faults):
    """Partition state beside the fences of `InMemoryShipmentStore`."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents

    async def note_halt(self, fence: Fence, halt: Halt | None) -> None:
        """Record that the partition is halted, or not any more."""
        with self.around("note_halt"):
            self._held(fence).halt = halt

    async def give_up(self, fence: Fence, below: int) -> Fence:
        """Move the fence over what the log has lost."""
        with self.around("give_up"):
            self._held(fence)
            moved = replace(fence, next_offset=accepted(fence.checkpoint.halt, fence.next_offset, below))
            self._documents.fences[fence.partition] = moved
            return moved

    async def note_attempt(self, fence: Fence, attempt: Attempt | None) -> None:
        """Record which record is being handled."""
        with self.around("note_attempt"):
            self._held(fence).attempt = attempt

    async def note_end(self, fence: Fence) -> None:
        """Record that the partition is applied to its end."""
        with self.around("note_end"):
            self._held(fence).ended = True

    async def ended(self, partitions: Collection[str]) -> set[str]:
        """Return those whose end is recorded."""
        with self.around("ended"):
            states = self._documents.partition_states
            return {name for name in partitions if name in states and states[name].ended}

    async def resumption(self, partition: str, halt: Halt) -> Resumption | None:
        """Return an operator's request for this halt."""
        with self.around("resumption"):
            said = self._documents.resumptions.get(partition)
            return said if said is not None and said.halted_since == halt.since else None

    def _held(self, fence: Fence) -> StoredPartitionState:
        current = self._documents.fences.get(fence.partition)
        if current is None or current.epoch != fence.epoch:
            raise Fenced(f"{fence.partition} has another owner")
        return self._documents.partition_states[fence.partition]


class InMemoryPartitionControl(Faults):
    """The partitions of one topic, and the requests to their owners."""

    def __init__(self, documents: Documents, topic: str) -> None:
        super().__init__()
        self._documents = documents
        self._topic = topic

    async def partitions(self) -> list[PartitionView]:
        """Return the partitions that have ever been owned."""
        with self.around("partitions"):
            views = [self._view(name) for name in self._documents.fences if self._is_of_log(name)]
            return sorted(views, key=lambda view: (len(view.topic), view.topic, view.number))

    async def partition(self, number: int) -> PartitionView | None:
        """Return one of them."""
        with self.around("partition"):
            views = [each for each in await self.partitions() if each.number == number and not each.has_ended]
            halted = (view for view in views if view.halt is not None)
            return next(halted, views[-1] if views else None)

    async def resume(self, partition: str, resumption: Resumption) -> None:
        """Leave a request."""
        with self.around("resume"):
            self._documents.resumptions[partition] = resumption
            _note(self._documents, resumed(partition, resumption))

    def _is_of_log(self, name: str) -> bool:
        topic = name.rpartition("/")[0]
        return topic == self._topic or topic.removeprefix(f"{self._topic}-").isdecimal()

    def _view(self, name: str) -> PartitionView:
        topic, _, number = name.rpartition("/")
        fence, state = (
            self._documents.fences[name],
            self._documents.partition_states.get(name, StoredPartitionState()),
        )
        said = self._documents.resumptions.get(name)
        is_meant = said is not None and state.halt is not None and said.halted_since == state.halt.since
        return PartitionView(
            topic=topic,
            number=int(number),
            owner=state.owner,
            epoch=fence.epoch,
            next_offset=fence.next_offset,
            halt=state.halt,
            resumption=said if is_meant else None,
            has_ended=state.ended,
        )


class InMemoryQuarantineStore(Faults):
    """The quarantined shipments."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._documents = documents
        self._quarantined = documents.quarantined

    async def put(self, entry: Quarantined, *, most: int, standing: bool | None = None) -> QuarantinePut:
        """Quarantine a shipment, unless `most` others are."""
        with self.around("put"):
            if standing not in (None, entry.tracking_number in self._quarantined):
                return QuarantinePut.UNMET
            if len(self._quarantined.keys() - {entry.tracking_number}) >= most:
                return QuarantinePut.FULL
            self._quarantined[entry.tracking_number] = entry
            _note(self._documents, quarantined(entry))
            return QuarantinePut.DONE

    async def remove(self, tracking_number: TrackingNumber, *, by: str, at: datetime) -> bool:
        """Release a shipment."""
        with self.around("remove"):
            if self._quarantined.pop(tracking_number, None) is None:
                return False
            _note(self._documents, released(tracking_number, by=by, at=at))
            return True

    async def entries(self) -> list[Quarantined]:
        """Return all of them, by number."""
        with self.around("entries"):
            return [self._quarantined[number] for number in sorted(self._quarantined)]


def _note(documents: Documents, action: OperatorAction) -> None:
    documents.actions[action.id] = document_of(action)
