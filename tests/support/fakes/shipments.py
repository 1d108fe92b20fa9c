"""The processor's store in memory: fences, shipments and the audit log in the shapes of DESIGN section 7."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from domain.errors import Fenced, StaleKnowledge
from domain.ports.core import Document, EndOffset, Fence, IsAnother
from domain.processing.batch import (
    ConsumedCommand,
    EventChange,
    EventRecord,
    Outcome,
    Plan,
    ShipmentTransition,
)
from domain.processing.halts import Attempt, Halt, PartitionCheckpoint, Quarantined, Resumption
from domain.shipments.commands import AmendShipment, RetractEvent
from domain.shipments.event_identity import EventId
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from tests.support.fakes.documents import (
    add_to_history,
    amend,
    event_document,
    held_document,
    history_entry,
    history_of,
    hold_fields,
    judged_fields,
    other_payload,
    record_of,
    shipment_document,
    shipment_of,
    take_back,
)
from tests.support.fakes.faults import Faults


@dataclass(slots=True)
class StoredPartitionState:
    """Fields beside the offset in a partition's fence."""

    owner: str = ""
    opened_at: int | None = None
    stalled_opens: int = 0
    halt: Halt | None = None
    attempt: Attempt | None = None
    ended: bool = False

    def opened(self, owner: str, next_offset: int) -> None:
        """Count an owner without progress, if the last one began at the same offset."""
        self.stalled_opens = self.stalled_opens + 1 if self.opened_at == next_offset else 0
        self.owner, self.opened_at = owner, next_offset

    def checkpoint(self, next_offset: int, end_offset: int) -> PartitionCheckpoint:
        """Return the checkpoint of the next owner."""
        return PartitionCheckpoint(
            halt=self.halt,
            stalled_opens=self.stalled_opens,
            attempt=self.attempt,
            next_offset=next_offset,
            end_offset=end_offset,
            has_ended=self.ended,
        )


@dataclass(slots=True)
class Documents:
    """The stored documents, shared with the readers."""

    fences: dict[str, Fence] = field(default_factory=dict)
    partition_states: dict[str, StoredPartitionState] = field(default_factory=dict)
    resumptions: dict[str, Resumption] = field(default_factory=dict)
    quarantined: dict[TrackingNumber, Quarantined] = field(default_factory=dict)
    shipments: dict[TrackingNumber, Document] = field(default_factory=dict)
    events: dict[EventId, Document] = field(default_factory=dict)
    dead_letters: dict[str, Document] = field(default_factory=dict)
    actions: dict[str, Document] = field(default_factory=dict)


class InMemoryShipmentStore(Faults):
    """A store that keeps every promise of the port, and none beyond it."""

    def __init__(self, documents: Documents | None = None) -> None:
        super().__init__()
        self.documents = documents or Documents()

    async def acquire(
        self, partition: str, *, owner: str, end_offset: EndOffset, is_another: IsAnother | None = None
    ) -> Fence:
        """Raise the partition's epoch; start from 0 again where the fence lies beyond another log's end."""
        with self.around("acquire"):
            last = self.documents.fences.get(partition, Fence(partition, 0, 0))
            fence = self.documents.fences[partition] = replace(last, epoch=last.epoch + 1)
            state = self.documents.partition_states.setdefault(partition, StoredPartitionState())
            state.opened(owner, fence.next_offset)
            end = await end_offset()
            is_new = fence.next_offset > end and (is_another is None or await is_another())
            if self.documents.fences[partition] != fence:
                raise Fenced(f"{partition} has another owner")
            if is_new:
                fence = self.documents.fences[partition] = replace(fence, next_offset=0)
                state.opened_at, state.stalled_opens, state.attempt = 0, 0, None
            if fence.next_offset == end:
                state.stalled_opens = 0
            return replace(fence, checkpoint=state.checkpoint(fence.next_offset, end))

    async def refresh(self, fence: Fence) -> Fence:
        """Return the fence as it stands, if it still has the same epoch."""
        with self.around("refresh"):
            current = self.documents.fences.get(fence.partition)
            if current is None or current.epoch != fence.epoch:
                raise Fenced(f"{fence.partition} has another owner")
            return current

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """Return the state of those shipments that exist."""
        with self.around("load"):
            shipments = self.documents.shipments
            return {each: shipment_of(shipments[each]) for each in tracking_numbers if each in shipments}

    async def load_histories(
        self, retractions: Mapping[TrackingNumber, int]
    ) -> dict[TrackingNumber, list[HistoryEntry]]:
        """Return the histories of those shipments that exist."""
        with self.around("load_histories"):
            shipments, events = self.documents.shipments, self.documents.events.values()
            return {each: history_of(shipments[each], events) for each in retractions if each in shipments}

    async def find_events(self, event_ids: Collection[EventId]) -> dict[EventId, EventRecord | None]:
        """Look events up."""
        with self.around("find_events"):
            events = self.documents.events
            return {each: record_of(events[each]) if each in events else None for each in event_ids}

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """Write all of the plans, or nothing."""
        with self.around("commit"):
            for fence, _ in plans:
                self._require(fence)
            self._reject_stale([plan for _, plan in plans])
            return [self._write(fence, plan, recorded_at) for fence, plan in plans]

    async def dead_letter(
        self,
        fence: Fence,
        consumed: ConsumedCommand | None,
        *,
        next_offset: int,
        reason: str,
        recorded_at: datetime,
    ) -> Fence:
        """Record an event as dead, or keep it on the record that there is, and move the fence."""
        with self.around("dead_letter"):
            self._require(fence)
            if consumed is not None:
                dead = event_document(consumed, recorded_at)
                dead |= {"outcome": Outcome.DEAD.value, "reason": reason}
                dead["partition"] = int(fence.partition.rpartition("/")[2])
                event = self.documents.events.setdefault(consumed.command.event_id, dead | {"attempts": 1})
                if event["fingerprint"] != consumed.fingerprint:
                    kept = {each["fingerprint"]: each for each in event.get("other_payloads", [])}
                    kept.pop(consumed.fingerprint, None)
                    kept[consumed.fingerprint] = other_payload(consumed, reason)
                    event["other_payloads"] = list(kept.values())[-8:]
            moved = self.documents.fences[fence.partition] = replace(fence, next_offset=next_offset)
            return moved

    def _require(self, fence: Fence) -> None:
        if self.documents.fences.get(fence.partition) != fence:
            raise Fenced(f"{fence.partition} has another owner, or an earlier commit went through")

    def _reject_stale(self, plans: Sequence[Plan]) -> None:
        known = set(self.documents.events)
        for change in chain.from_iterable(plan.events for plan in plans):
            if change.by_another:
                continue
            if change.is_new == (change.event_id in known):
                raise StaleKnowledge(change.event_id)
            known.add(change.event_id)
        for tracking_number, shipment_change in chain.from_iterable(plan.shipments.items() for plan in plans):
            if shipment_change.before is None and tracking_number in self.documents.shipments:
                raise StaleKnowledge(tracking_number)

    def _write(self, fence: Fence, plan: Plan, recorded_at: datetime) -> Fence:
        for change in plan.events:
            self._write_event(change, fence.partition, recorded_at)
        for tracking_number, shipment_change in plan.shipments.items():
            self._write_shipment(tracking_number, shipment_change, recorded_at)
        moved = self.documents.fences[fence.partition] = replace(fence, next_offset=plan.next_offset)
        return moved

    def _write_event(self, change: EventChange, partition: str, recorded_at: datetime) -> None:
        consumed, record = change.judged, change.record
        if change.event_id not in self.documents.events:
            if consumed is None:
                return  # a record that has expired has no hold to lose
            self.documents.events[change.event_id] = event_document(consumed, recorded_at)
        event = self.documents.events[change.event_id]
        self._keep_others(event, change)
        if consumed is not None and record is not None:
            for name in (
                "utc_offset",
                "signed_by",
                "checkpoint",
                "current_status",
                "may_follow",
                "previous_status",
            ):
                event.pop(name, None)
            event |= judged_fields(consumed, record, partition, recorded_at)
        event["attempts"] += change.attempts
        event["duplicates"] += change.duplicates
        event["conflicts"] += change.conflicts
        event |= hold_fields(change)
        event["last_offset"] = max(change.last_offset, event["last_offset"] if change.by_another else 0)

    def _keep_others(self, event: Document, change: EventChange) -> None:
        if not change.others and not change.supersedes:
            return
        kept = {each["fingerprint"]: each for each in event.get("other_payloads", [])}
        if change.supersedes:
            parts = (
                "changes",
                "retraction",
                "origin",
                "destination",
                "package",
                "reference",
                "estimated_delivery",
            )
            names = (
                "status",
                "location",
                "notes",
                "signed_by",
                "checkpoint",
                *parts,
                "submitted_by",
                "received_at",
                "offset",
            )
            replaced = {name: event[name] for name in (*names, "reason", "fingerprint") if name in event}
            kept[event["fingerprint"]] = replaced | (
                {"status": None} if {"changes", "checkpoint", "retraction"} & event.keys() else {}
            )
        for other in change.others:
            kept.pop(other.consumed.fingerprint, None)
            reason = None if other.reason is None else str(other.reason)
            kept[other.consumed.fingerprint] = other_payload(other.consumed, reason)
        if change.judged is not None:
            event.pop("changes", None)
            event.pop("retraction", None)
        kept.pop(event["fingerprint"] if change.judged is None else change.judged.fingerprint, None)
        event["other_payloads"] = list(kept.values())[-8:]

    def _write_shipment(
        self, number: TrackingNumber, change: ShipmentTransition, recorded_at: datetime
    ) -> None:
        if change.before is None:
            self.documents.shipments[number] = shipment_document(change.applied[0].command)
        shipment = self.documents.shipments[number]
        shipment["held"] = [held_document(each) for each in change.after.held]
        if not change.after.held:
            del shipment["held"]
        if not change.applied:
            return
        for each in change.applied:
            if isinstance(each.command, AmendShipment):
                amend(shipment, each.command)
            elif isinstance(each.command, RetractEvent):
                take_back(shipment, each.command.retracts)
            else:
                add_to_history(shipment, history_entry(each.command, recorded_at))
        shipment["current_status"] = change.after.status.value
        shipment["version"] = change.after.version
        shipment["updated_at"] = recorded_at
