"""Applies the records of one partition to the shipments: exactly once, whatever is redelivered (ADR 0002)."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from domain.errors import CommitUnknown, Fenced, PoisonRecord, StaleKnowledge, TransientError
from domain.ports.core import (
    ChangeFeed,
    Clock,
    DuplicateFilter,
    EndOffset,
    Fence,
    IsAnother,
    Replies,
    ShipmentStore,
)
from domain.ports.dead_letters import DeadLetterIndex
from domain.ports.partitions import PartitionStateStore
from domain.processing.batch import (
    ConsumedCommand,
    EventRecord,
    Kind,
    Known,
    Outcome,
    Plan,
    Verdict,
    Verdicts,
    by_shipment,
    judge,
)
from domain.processing.halts import QUARANTINED, Attempt, Halt, PartitionCheckpoint, Start
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from messaging import codec
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters, Record, replays_in
from messaging.placement import require_place
from messaging.unpacking import UnreadableRecord
from processor.metrics import ProcessorMetrics
from processor.use_cases.dead_lettering import entry_of
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.replies import answer_to
from processor.use_cases.shipment_cache import ShipmentCache

if TYPE_CHECKING:
    from domain.processing.dead_letter import RecordPosition

_log = structlog.get_logger(__name__)

Groups = Mapping[TrackingNumber, Sequence[ConsumedCommand]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What applying needs from the outside."""

    store: ShipmentStore
    notes: PartitionStateStore
    quarantine: Quarantine
    duplicates: DuplicateFilter
    feed: ChangeFeed
    answers: Replies
    dead_letters: KafkaDeadLetters
    index: DeadLetterIndex
    clock: Clock
    metrics: ProcessorMetrics


class ShipmentPartition:
    """`PartitionHandler` that moves shipments."""

    def __init__(self, name: str, ports: Ports, *, owner: str, cache_size: int, partitions: int) -> None:
        """Take what it works with.

        Args:
            name: `topic/number`.
            ports: of the process.
            owner: for the operator's eyes.
            cache_size: shipments remembered.
            partitions: that keys are spread over.
        """
        self._name = name
        self._partitions = partitions
        self._ports = ports
        self._owner = owner
        self._cache = ShipmentCache(cache_size)
        self._fence = Fence(name, 0, 0)
        self._fence_in_doubt = False
        self._set_aside: set[int] = set()
        self._letters: dict[tuple[int, str], RecordPosition] = {}

    async def open(self, end_offset: EndOffset, is_another: IsAnother | None = None) -> PartitionCheckpoint:
        """See `PartitionHandler.open`."""
        self._cache.clear()
        self._set_aside.clear()
        self._letters.clear()
        self._fence = await self._ports.store.acquire(
            self._name, owner=self._owner, end_offset=end_offset, is_another=is_another
        )
        self._fence_in_doubt = False
        # What the owner before has set aside, this one must not apply: its list may be older.
        await self._ports.quarantine.refresh()
        return self._fence.inherited

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`."""
        with self._ports.metrics.batch(len(records)):
            if self._fence_in_doubt:
                await self._look_at_fence()
            wanted = records
            if self._ports.quarantine.reasons:
                wanted = await self._without_quarantined(records)
            # Past those that are set aside as well: now that what stands before them is applied.
            next_offset = records[-1].offset + 1
            if wanted:
                await self._apply(wanted, next_offset)
                await self._note_replays(wanted)
            else:
                await self._write(Plan(max(next_offset, self._fence.next_offset)))
            if self._set_aside:
                self._set_aside.difference_update(record.offset for record in records)
        return bool(wanted)

    async def bury(self, letter: DeadLetter) -> None:
        """See `PartitionHandler.bury`; all that stands before the record is applied: the fence moves past."""
        if self._fence_in_doubt:
            await self._look_at_fence()
        await self._keep(letter, max(letter.record.offset + 1, self._fence.next_offset))

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """See `PartitionState.stop`."""
        halt = Halt(problem, self._ports.clock.now(), is_gap, skip_to)
        await self._ports.notes.note_halt(self._fence, halt)
        return halt

    async def told(self, halt: Halt) -> Start | None:
        """See `PartitionState.told`."""
        resumption = await self._ports.notes.resumption(self._name, halt)
        return None if resumption is None else resumption.start

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """See `PartitionState.clear_halt`."""
        if lost_below is not None:
            self._fence = await self._ports.notes.give_up(self._fence, lost_below)
        await self._ports.notes.note_halt(self._fence, None)

    async def attempt(self, attempt: Attempt | None) -> None:
        """See `PartitionState.attempt`."""
        await self._ports.notes.note_attempt(self._fence, attempt)

    async def _keep(self, letter: DeadLetter, next_offset: int) -> None:
        """Keep a dead letter: in its topic, in its index and, if it can be read, in the audit log."""
        await self._note_replays([letter.record])
        # Read first: if that is the end of the process, no letter has been written yet.
        delivery = None if letter.unread else self._legible(letter.record)
        mark = (letter.record.offset, letter.reason)
        if mark not in self._letters:  # kept over retries: MongoDB may be away for long
            self._letters[mark] = await self._ports.dead_letters.publish(letter)
        now = self._ports.clock.now()
        await self._ports.index.record(entry_of(letter, self._letters[mark], delivery, recorded_at=now))
        if delivery is not None or next_offset > self._fence.next_offset:
            reason = QUARANTINED if letter.reason == QUARANTINED else letter.error
            if delivery is not None:
                _log.warning("event_dead_lettered", partition=self._name, event_id=delivery.command.event_id)
            await self._move(
                self._ports.store.bury(
                    self._fence, delivery, next_offset=next_offset, reason=reason, recorded_at=now
                )
            )
        del self._letters[mark]
        self._ports.metrics.count_buried(letter.reason)

    async def _apply(self, records: Sequence[Record], next_offset: int) -> None:
        deliveries = await self._recognised(self._legible_of(records))
        known = await self._ports.store.find_events(
            {delivery.command.event_id for delivery in deliveries if delivery.redelivered}
        )
        plan = await self._commit(deliveries, next_offset, known)
        self._ports.metrics.count(plan.verdicts, self._ports.clock.now())
        await self._publish_results(plan)

    async def _without_quarantined(self, records: Sequence[Record]) -> list[Record]:
        """Bury the records of shipments that are set aside, and return the others."""
        reasons = self._ports.quarantine.reasons
        others: list[Record] = []
        for record in records:
            reason = reasons.get(record.key or b"")
            if reason is None or await self._was_counted(record):
                others.append(record)
            elif record.offset not in self._set_aside:
                await self._keep(DeadLetter(record, QUARANTINED, reason, 0), self._fence.next_offset)
                self._set_aside.add(record.offset)
        return others

    async def _was_counted(self, record: Record) -> bool:
        """Say whether a record that comes again has left its mark: then only the telling is repeated."""
        if record.offset >= self._fence.next_offset or (delivery := self._legible(record)) is None:
            return False
        event_id = delivery.command.event_id
        event = (await self._ports.store.find_events([event_id]))[event_id]
        return event is not None and record.offset <= event.last_offset

    def _legible_of(self, records: Sequence[Record]) -> list[ConsumedCommand]:
        """Read records; those that come again and cannot be read have their dead letters already.

        The fence moves past such a one when its letter is kept, or an operator has given it up.

        Raises:
            PoisonRecord: one that the fence has not passed cannot be read.
        """
        fence = self._fence.next_offset
        read = [self._legible(each) if each.offset < fence else self._read(each) for each in records]
        return [delivery for delivery in read if delivery is not None]

    def _legible(self, record: Record) -> ConsumedCommand | None:
        try:
            return self._read(record)
        except PoisonRecord:
            return None

    def _read(self, record: Record) -> ConsumedCommand:
        if isinstance(record, UnreadableRecord):
            raise PoisonRecord(record.fault)
        decoded = codec.decode(record.value)
        require_place(record, decoded.command.tracking_number, self._partitions)
        return ConsumedCommand(
            command=decoded.command,
            offset=record.offset,
            fingerprint=decoded.fingerprint,
            reply_to=codec.header(record.headers, codec.REPLY_TO),
            traceparent=codec.header(record.headers, codec.TRACEPARENT),
            redelivered=record.offset < self._fence.next_offset,
        )

    async def _recognised(self, deliveries: list[ConsumedCommand]) -> list[ConsumedCommand]:
        """Ask the duplicate filter; not where somebody waits, who must be told what became of the first."""
        asked = [index for index, delivery in enumerate(deliveries) if delivery.reply_to is None]
        seen = await self._ports.duplicates.seen(self._name, [_member(deliveries[index]) for index in asked])
        self._ports.metrics.count_looked_up(len(asked), sum(seen))
        for index, hit in zip(asked, seen, strict=True):
            if hit:
                deliveries[index] = replace(deliveries[index], known_duplicate=True)
        return deliveries

    async def _commit(self, deliveries: Sequence[ConsumedCommand], next_offset: int, known: Known) -> Plan:
        groups = by_shipment(deliveries)
        plan = await self._plan(groups, next_offset, known)
        try:
            await self._write(plan)
        except StaleKnowledge as error:
            self._ports.metrics.count_retry(error)
            # Rare: an event that was rejected before is applied now, or the duplicate filter remembers what
            # the store does not. Look everything up, then judge again without the filter.
            known = await self._ports.store.find_events(
                {delivery.command.event_id for delivery in deliveries}
            )
            groups = by_shipment(replace(delivery, known_duplicate=False) for delivery in deliveries)
            plan = await self._plan(groups, plan.next_offset, known)
            await self._write(plan)
        self._cache.put(change.after for change in plan.shipments.values())
        return plan

    async def _plan(self, groups: Groups, next_offset: int, known: Known) -> Plan:
        shipments = await self._shipments(groups)
        judged = {number: judge(group, shipments.get(number), known) for number, group in groups.items()}
        unknown = [event_id for verdicts in judged.values() for event_id in verdicts.unknown]
        if unknown:
            found = await self._ports.store.find_events(unknown)
            _judge_again(judged, groups, shipments, {**known, **found})
        plan = Plan(max(next_offset, self._fence.next_offset))
        for number, verdicts in judged.items():
            plan.add(number, verdicts)
        return plan

    async def _shipments(self, groups: Groups) -> dict[TrackingNumber, Shipment]:
        shipments: dict[TrackingNumber, Shipment] = {}
        missing: list[TrackingNumber] = []
        for number, group in groups.items():
            shipment = self._cache.get(number)
            if shipment is not None:
                shipments[number] = shipment
            elif not all(delivery.known_duplicate for delivery in group):
                missing.append(number)
        loaded = await self._ports.store.load(missing)
        self._cache.put(loaded.values())
        return shipments | loaded

    async def _write(self, plan: Plan) -> None:
        if not plan.events and plan.next_offset == self._fence.next_offset:
            return  # all of it has been applied before
        await self._move(self._ports.store.commit(self._fence, plan, recorded_at=self._ports.clock.now()))

    async def _move(self, moved: Awaitable[Fence]) -> None:
        try:
            self._fence = await moved
        except Fenced as fenced:
            # By another owner, or by a commit of our own that was given up as unknown: the fence tells.
            await self._look_at_fence()
            raise CommitUnknown(str(fenced)) from fenced
        except TransientError:
            self._fence_in_doubt = True
            raise

    async def _look_at_fence(self) -> None:
        fence = await self._ports.store.refresh(self._fence)
        if fence.next_offset < self._fence.next_offset:
            raise Fenced(f"the fence of {self._name} has gone back: MongoDB has been put back")
        self._fence = fence
        self._cache.clear()
        self._fence_in_doubt = False

    async def _publish_results(self, plan: Plan) -> None:
        """All of it may happen twice, or be lost but for the change feed: that one must succeed."""
        applied = [_member(verdict.delivery) for verdict in plan.verdicts if _is_newly_applied(verdict)]
        answers = {
            verdict.delivery.reply_to: answer_to(verdict, verdict.event)
            for verdict in plan.verdicts
            if verdict.delivery.reply_to is not None and verdict.event is not None
        }
        await asyncio.gather(
            self._ports.duplicates.mark(self._name, applied),
            self._ports.answers.send(answers),
            self._ports.feed.publish(plan.verdicts),
        )

    async def _note_replays(self, records: Sequence[Record]) -> None:
        for replay in replays_in(records):
            await self._ports.index.note_replay(replay)


def _judge_again(
    judged: dict[TrackingNumber, Verdicts],
    groups: Groups,
    shipments: Mapping[TrackingNumber, Shipment],
    known: Mapping[EventId, EventRecord | None],
) -> None:
    for number, verdicts in judged.items():
        if verdicts.unknown:
            judged[number] = judge(groups[number], shipments.get(number), known)


def _member(delivery: ConsumedCommand) -> str:
    return f"{delivery.command.event_id}:{delivery.fingerprint}"


def _is_newly_applied(verdict: Verdict) -> bool:
    return (
        verdict.kind is Kind.JUDGED and verdict.event is not None and verdict.event.outcome is Outcome.APPLIED
    )
