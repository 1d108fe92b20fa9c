"""Processing of one partition: apply its records to shipments exactly once (ADR 0002)."""

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
from processor.use_cases.replies import reply_for
from processor.use_cases.shipment_cache import ShipmentCache

if TYPE_CHECKING:
    from domain.processing.dead_letter import RecordPosition

_log = structlog.get_logger(__name__)

Groups = Mapping[TrackingNumber, Sequence[ConsumedCommand]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of a shipment partition."""

    store: ShipmentStore
    partition_state: PartitionStateStore
    quarantine: Quarantine
    duplicates: DuplicateFilter
    feed: ChangeFeed
    replies: Replies
    dead_letters: KafkaDeadLetters
    index: DeadLetterIndex
    clock: Clock
    metrics: ProcessorMetrics


class ShipmentPartition:
    """`PartitionHandler` that applies commands to shipments."""

    def __init__(self, name: str, ports: Ports, *, owner: str, cache_size: int, partitions: int) -> None:
        """Create the handler of a partition.

        Args:
            name: `topic/number`.
            ports: of the process.
            owner: name of the process, shown to operators.
            cache_size: number of cached shipments.
            partitions: number that keys are distributed over.
        """
        self._name = name
        self._partitions = partitions
        self._ports = ports
        self._owner = owner
        self._cache = ShipmentCache(cache_size)
        self._fence = Fence(name, 0, 0)
        self._fence_in_doubt = False
        self._quarantined: set[int] = set()
        self._published_dead_letters: dict[tuple[int, str], RecordPosition] = {}

    async def open(self, end_offset: EndOffset, is_another: IsAnother | None = None) -> PartitionCheckpoint:
        """See `PartitionHandler.open`."""
        self._cache.clear()
        self._quarantined.clear()
        self._published_dead_letters.clear()
        self._fence = await self._ports.store.acquire(
            self._name, owner=self._owner, end_offset=end_offset, is_another=is_another
        )
        self._fence_in_doubt = False
        # Shipments that the last owner quarantined must not be applied by this one: its list may be older.
        await self._ports.quarantine.refresh()
        return self._fence.checkpoint

    async def handle(self, records: Sequence[Record]) -> bool:
        """See `PartitionHandler.handle`."""
        with self._ports.metrics.batch(len(records)):
            if self._fence_in_doubt:
                await self._refresh_fence()
            wanted = records
            if self._ports.quarantine.reasons:
                wanted = await self._without_quarantined(records)
            # Past quarantined records as well, now that the records before them are applied.
            next_offset = records[-1].offset + 1
            if wanted:
                await self._apply(wanted, next_offset)
                await self._note_replays(wanted)
            else:
                await self._write(Plan(max(next_offset, self._fence.next_offset)))
            if self._quarantined:
                self._quarantined.difference_update(record.offset for record in records)
        return bool(wanted)

    async def dead_letter(self, dead_letter: DeadLetter) -> None:
        """See `PartitionHandler.dead_letter`; the records before it are applied: the fence moves past it."""
        if self._fence_in_doubt:
            await self._refresh_fence()
        await self._record_dead_letter(
            dead_letter, max(dead_letter.record.offset + 1, self._fence.next_offset)
        )

    async def stop(self, problem: str, *, is_gap: bool, skip_to: int | None = None) -> Halt:
        """See `PartitionState.stop`."""
        halt = Halt(problem, self._ports.clock.now(), is_gap, skip_to)
        await self._ports.partition_state.note_halt(self._fence, halt)
        return halt

    async def resume_request(self, halt: Halt) -> Start | None:
        """See `PartitionState.resume_request`."""
        resumption = await self._ports.partition_state.resumption(self._name, halt)
        return None if resumption is None else resumption.start

    async def clear_halt(self, *, lost_below: int | None = None) -> None:
        """See `PartitionState.clear_halt`."""
        if lost_below is not None:
            self._fence = await self._ports.partition_state.give_up(self._fence, lost_below)
        await self._ports.partition_state.note_halt(self._fence, None)

    async def attempt(self, attempt: Attempt | None) -> None:
        """See `PartitionState.attempt`."""
        await self._ports.partition_state.note_attempt(self._fence, attempt)

    async def _record_dead_letter(self, dead_letter: DeadLetter, next_offset: int) -> None:
        """Write a dead letter to its topic, its index and, if the record can be read, the audit log."""
        await self._note_replays([dead_letter.record])
        # Read first: if reading crashes the process, no dead letter has been written yet.
        consumed = None if dead_letter.unread else self._read_or_none(dead_letter.record)
        record_key = (dead_letter.record.offset, dead_letter.reason)
        # Once over all retries: MongoDB may be away for long.
        if record_key not in self._published_dead_letters:
            self._published_dead_letters[record_key] = await self._ports.dead_letters.publish(dead_letter)
        now = self._ports.clock.now()
        await self._ports.index.record(
            entry_of(dead_letter, self._published_dead_letters[record_key], consumed, recorded_at=now)
        )
        if consumed is not None or next_offset > self._fence.next_offset:
            reason = QUARANTINED if dead_letter.reason == QUARANTINED else dead_letter.error
            if consumed is not None:
                _log.warning("event_dead_lettered", partition=self._name, event_id=consumed.command.event_id)
            await self._advance_fence(
                self._ports.store.dead_letter(
                    self._fence, consumed, next_offset=next_offset, reason=reason, recorded_at=now
                )
            )
        del self._published_dead_letters[record_key]
        self._ports.metrics.count_dead_letter(dead_letter.reason)

    async def _apply(self, records: Sequence[Record], next_offset: int) -> None:
        commands = await self._with_known_duplicates(self._read_all(records))
        known = await self._ports.store.find_events(
            {consumed.command.event_id for consumed in commands if consumed.redelivered}
        )
        plan = await self._commit(commands, next_offset, known)
        self._ports.metrics.count(plan.verdicts, self._ports.clock.now())
        await self._publish_results(plan)

    async def _without_quarantined(self, records: Sequence[Record]) -> list[Record]:
        """Dead-letter the records of quarantined shipments; return the others."""
        reasons = self._ports.quarantine.reasons
        others: list[Record] = []
        for record in records:
            reason = reasons.get(record.key or b"")
            if reason is None or await self._was_counted(record):
                others.append(record)
            elif record.offset not in self._quarantined:
                await self._record_dead_letter(
                    DeadLetter(record, QUARANTINED, reason, 0), self._fence.next_offset
                )
                self._quarantined.add(record.offset)
        return others

    async def _was_counted(self, record: Record) -> bool:
        """Return True if a redelivered record is recorded: then only the publication is repeated."""
        if record.offset >= self._fence.next_offset or (consumed := self._read_or_none(record)) is None:
            return False
        event_id = consumed.command.event_id
        event = (await self._ports.store.find_events([event_id]))[event_id]
        return event is not None and record.offset <= event.last_offset

    def _read_all(self, records: Sequence[Record]) -> list[ConsumedCommand]:
        """Read records; skip redelivered ones that cannot be read, for they are dead-lettered already.

        The fence moves past such a record when its dead letter is written, or an operator skips it.

        Raises:
            PoisonRecord: a record that the fence has not passed cannot be read.
        """
        fence = self._fence.next_offset
        read = [self._read_or_none(each) if each.offset < fence else self._read(each) for each in records]
        return [consumed for consumed in read if consumed is not None]

    def _read_or_none(self, record: Record) -> ConsumedCommand | None:
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

    async def _with_known_duplicates(self, commands: list[ConsumedCommand]) -> list[ConsumedCommand]:
        """Mark duplicates that the filter knows, except where a caller waits for the outcome."""
        asked = [index for index, consumed in enumerate(commands) if consumed.reply_to is None]
        seen = await self._ports.duplicates.seen(self._name, [_member(commands[index]) for index in asked])
        self._ports.metrics.count_looked_up(len(asked), sum(seen))
        for index, hit in zip(asked, seen, strict=True):
            if hit:
                commands[index] = replace(commands[index], known_duplicate=True)
        return commands

    async def _commit(self, commands: Sequence[ConsumedCommand], next_offset: int, known: Known) -> Plan:
        groups = by_shipment(commands)
        plan = await self._plan(groups, next_offset, known)
        try:
            await self._write(plan)
        except StaleKnowledge as error:
            self._ports.metrics.count_retry(error)
            # Rare: an event that was rejected before is applied now, or the duplicate filter knows more than
            # the store. Look everything up, then judge again without the filter.
            known = await self._ports.store.find_events({consumed.command.event_id for consumed in commands})
            groups = by_shipment(replace(consumed, known_duplicate=False) for consumed in commands)
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
            elif not all(consumed.known_duplicate for consumed in group):
                missing.append(number)
        loaded = await self._ports.store.load(missing)
        self._cache.put(loaded.values())
        return shipments | loaded

    async def _write(self, plan: Plan) -> None:
        if not plan.events and plan.next_offset == self._fence.next_offset:
            return  # all of it has been applied before
        await self._advance_fence(
            self._ports.store.commit(self._fence, plan, recorded_at=self._ports.clock.now())
        )

    async def _advance_fence(self, written: Awaitable[Fence]) -> None:
        try:
            self._fence = await written
        except Fenced as fenced:
            # By another owner, or by a transaction of our own with an unknown outcome: the fence decides.
            await self._refresh_fence()
            raise CommitUnknown(str(fenced)) from fenced
        except TransientError:
            self._fence_in_doubt = True
            raise

    async def _refresh_fence(self) -> None:
        fence = await self._ports.store.refresh(self._fence)
        if fence.next_offset < self._fence.next_offset:
            raise Fenced(f"the fence of {self._name} has gone back: MongoDB was restored")
        self._fence = fence
        self._cache.clear()
        self._fence_in_doubt = False

    async def _publish_results(self, plan: Plan) -> None:
        """Publish outcomes: each may be repeated, and only the change feed must succeed."""
        applied = [_member(verdict.consumed) for verdict in plan.verdicts if _is_newly_applied(verdict)]
        replies = {
            verdict.consumed.reply_to: reply_for(verdict, verdict.event)
            for verdict in plan.verdicts
            if verdict.consumed.reply_to is not None and verdict.event is not None
        }
        await asyncio.gather(
            self._ports.duplicates.mark(self._name, applied),
            self._ports.replies.send(replies),
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


def _member(consumed: ConsumedCommand) -> str:
    return f"{consumed.command.event_id}:{consumed.fingerprint}"


def _is_newly_applied(verdict: Verdict) -> bool:
    return (
        verdict.kind is Kind.JUDGED and verdict.event is not None and verdict.event.outcome is Outcome.APPLIED
    )
