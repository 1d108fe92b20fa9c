"""Application of a batch: read its records, judge them, commit the outcomes, publish them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.errors import StaleKnowledge
from domain.processing.batch import (
    ConsumedCommand,
    Kind,
    Known,
    Outcome,
    Plan,
    Verdict,
    by_shipment,
)
from domain.processing.judging import judge
from domain.shipments.commands import RetractEvent
from domain.shipments.retraction import HistoryEntry
from domain.shipments.tracking_number import TrackingNumber
from messaging.dead_letters.records import Record
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.ports import Ports
from processor.use_cases.record_reader import RecordReader
from processor.use_cases.replies import reply_for
from processor.use_cases.shipment_cache import ShipmentCache

Groups = Mapping[TrackingNumber, Sequence[ConsumedCommand]]


class BatchApplier:
    """Applies batches of records to shipments, exactly once."""

    def __init__(
        self, ports: Ports, fence: PartitionFence, reader: RecordReader, cache: ShipmentCache
    ) -> None:
        self._ports = ports
        self._fence = fence
        self._reader = reader
        self._cache = cache

    async def apply(self, records: Sequence[Record], next_offset: int) -> None:
        """Apply records and advance the fence to `next_offset`; on return all effects are durable.

        Raises:
            PoisonRecord: a record cannot be read; nothing is applied.
        """
        commands = await self._with_known_duplicates(self._reader.read_batch(records))
        known = await self._ports.store.find_events(
            {consumed.command.event_id for consumed in commands if consumed.redelivered}
        )
        plan = await self._commit(commands, next_offset, known)
        self._ports.metrics.count(plan, self._ports.clock.now())
        await self._publish_results(plan)

    async def skip_to(self, next_offset: int) -> None:
        """Advance the fence to `next_offset`, with nothing to apply below it."""
        await self._write(Plan(max(next_offset, self._fence.next_offset)))

    async def _with_known_duplicates(self, commands: list[ConsumedCommand]) -> list[ConsumedCommand]:
        """Mark duplicates that the filter knows, except where a caller waits for the outcome."""
        asked = [index for index, consumed in enumerate(commands) if consumed.reply_to is None]
        members = [_member(commands[index]) for index in asked]
        seen = await self._ports.duplicates.seen(self._fence.name, members)
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
        shipments = await self._cache.load(groups, self._ports.store)
        histories = await self._histories(groups)
        judged = {
            number: judge(group, shipments.get(number), known, histories.get(number))
            for number, group in groups.items()
        }
        unknown = [event_id for verdicts in judged.values() for event_id in verdicts.unknown]
        if unknown:
            known = {**known, **await self._ports.store.find_events(unknown)}
            for number, verdicts in judged.items():
                if verdicts.unknown:
                    judged[number] = judge(
                        groups[number], shipments.get(number), known, histories.get(number)
                    )
        plan = Plan(max(next_offset, self._fence.next_offset))
        for number, verdicts in judged.items():
            plan.add(number, verdicts)
        return plan

    async def _histories(self, groups: Groups) -> Mapping[TrackingNumber, Sequence[HistoryEntry]]:
        """Return the histories of shipments with retractions: of nobody else's."""
        retractions = Counter(
            number
            for number, group in groups.items()
            for consumed in group
            if isinstance(consumed.command, RetractEvent)
        )
        if not retractions:
            return {}
        return dict.fromkeys(retractions, ()) | await self._ports.store.load_histories(retractions)

    async def _write(self, plan: Plan) -> None:
        if not plan.events and plan.next_offset == self._fence.next_offset:
            return  # all of it has been applied before
        now = self._ports.clock.now()
        await self._fence.advance(self._ports.store.commit(self._fence.held, plan, recorded_at=now))

    async def _publish_results(self, plan: Plan) -> None:
        """Publish outcomes: each may be repeated, and only the change feed must succeed."""
        applied = [_member(verdict.consumed) for verdict in plan.verdicts if _is_newly_applied(verdict)]
        replies = {
            verdict.consumed.reply_to: reply_for(verdict, verdict.event)
            for verdict in plan.verdicts
            if verdict.consumed.reply_to is not None and verdict.event is not None
        }
        await asyncio.gather(
            self._ports.duplicates.mark(self._fence.name, applied),
            self._ports.replies.send(replies),
            self._ports.feed.publish(plan.verdicts),
        )


def _member(consumed: ConsumedCommand) -> str:
    return f"{consumed.command.event_id}:{consumed.fingerprint}"


def _is_newly_applied(verdict: Verdict) -> bool:
    if verdict.kind is Kind.RELEASED:
        return not verdict.consumed.redelivered
    return (
        verdict.kind is Kind.JUDGED and verdict.event is not None and verdict.event.outcome is Outcome.APPLIED
    )
