"""Application of batches: look up what is known, judge each, write all in one transaction, publish."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import structlog

from domain.errors import StaleKnowledge
from domain.ports.core import Reply
from domain.processing.batch import (
    ConsumedCommand,
    Kind,
    Known,
    Outcome,
    Verdict,
    by_shipment,
)
from domain.processing.judging import judge
from domain.shipments.commands import RetractEvent
from domain.shipments.retraction import HistoryEntry
from domain.shipments.tracking_number import TrackingNumber
from processor.use_cases.partition_batch import PartitionBatch
from processor.use_cases.partition_fence import advance_together
from processor.use_cases.ports import Ports
from processor.use_cases.replies import reply_for
from processor.use_cases.shipment_cache import load_shipments

_log = structlog.get_logger(__name__)

Histories = Mapping[TrackingNumber, Sequence[HistoryEntry]]


class BatchApplier:
    """Applies batches of different partitions to their shipments, exactly once."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def write(self, batches: Sequence[PartitionBatch]) -> None:
        """Judge batches of different partitions and write all of them or none.

        On return their fences have moved. If one of several may be the reason of an error, its fence is as it
        was: write each alone.
        """
        await self._mark_known_duplicates(batches)
        commands = chain.from_iterable(batch.commands for batch in batches)
        known = await self._ports.store.find_events(
            {consumed.command.event_id for consumed in commands if consumed.redelivered}
        )
        await self._judge(batches, known)
        try:
            await self._commit(batches)
        except StaleKnowledge as error:
            if len(batches) > 1:
                raise
            self._ports.metrics.count_retry(error)
            # Rare: an event that was rejected before is applied now, or the duplicate filter knows more than
            # the store. Look everything up, then judge again without the filter.
            [batch] = batches
            known = await self._ports.store.find_events(
                {consumed.command.event_id for consumed in batch.commands}
            )
            batch.commands = [replace(consumed, known_duplicate=False) for consumed in batch.commands]
            await self._judge(batches, known)
            await self._commit(batches)
        for batch in batches:
            batch.cache.put(change.after for change in batch.plan.shipments.values())

    async def publish(self, batch: PartitionBatch) -> None:
        """Count the outcomes of a written batch and publish its applied changes; may be repeated."""
        self._ports.metrics.count(batch.plan, self._ports.clock.now())
        await self._ports.feed.publish(batch.plan.verdicts)

    async def give_hints(self, batches: Sequence[PartitionBatch]) -> None:
        """Mark applied events as duplicates, and reply to those who wait; may be lost, never raises."""
        try:
            await asyncio.gather(
                self._ports.duplicates.mark({batch.fence.name: _applied(batch) for batch in batches}),
                self._ports.replies.send(
                    {address: reply for batch in batches for address, reply in _replies(batch)}
                ),
            )
        except Exception as error:  # noqa: BLE001  # one partition's must not be the trouble of the others
            _log.warning("hints_lost", error=repr(error))

    async def _mark_known_duplicates(self, batches: Iterable[PartitionBatch]) -> None:
        """Mark duplicates that the filter knows, except where a caller waits for the outcome."""
        asked = {
            batch.fence.name: [_member(each) for each in batch.commands if each.reply_to is None]
            for batch in batches
        }
        seen = await self._ports.duplicates.seen(asked)
        self._ports.metrics.count_looked_up(sum(map(len, asked.values())), sum(map(sum, seen.values())))
        for batch in batches:
            hits = iter(seen[batch.fence.name])
            for index, consumed in enumerate(batch.commands):
                if consumed.reply_to is None and next(hits):
                    batch.commands[index] = replace(consumed, known_duplicate=True)

    async def _judge(self, batches: Sequence[PartitionBatch], known: Known) -> None:
        """Make the plan of each batch."""
        store = self._ports.store
        groups = [(batch.cache, by_shipment(batch.commands)) for batch in batches]
        shipments = await load_shipments(groups, store)
        by_number = {number: group for _, of_batch in groups for number, group in of_batch.items()}
        histories = await self._histories(by_number)
        judged = {
            number: judge(group, shipments.get(number), known, histories.get(number))
            for number, group in by_number.items()
        }
        unknown = [event_id for verdicts in judged.values() for event_id in verdicts.unknown]
        if unknown:
            known = {**known, **await store.find_events(unknown)}
            for number, verdicts in judged.items():
                if verdicts.unknown:
                    judged[number] = judge(
                        by_number[number], shipments.get(number), known, histories.get(number)
                    )
        for batch, (_, of_batch) in zip(batches, groups, strict=True):
            batch.begin_plan()
            for number in of_batch:
                batch.plan.add(number, judged[number])

    async def _histories(self, groups: Mapping[TrackingNumber, Sequence[ConsumedCommand]]) -> Histories:
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

    async def _commit(self, batches: Iterable[PartitionBatch]) -> None:
        writing = [batch for batch in batches if batch.has_writes]
        if writing:
            plans = [(batch.fence.held, batch.plan) for batch in writing]
            written = self._ports.store.commit(plans, recorded_at=self._ports.clock.now())
            await advance_together([batch.fence for batch in writing], written)


def _member(consumed: ConsumedCommand) -> str:
    return f"{consumed.command.event_id}:{consumed.fingerprint}"


def _applied(batch: PartitionBatch) -> list[str]:
    return [_member(verdict.consumed) for verdict in batch.plan.verdicts if _is_newly_applied(verdict)]


def _replies(batch: PartitionBatch) -> Iterator[tuple[str, Reply]]:
    for verdict in batch.plan.verdicts:
        if verdict.consumed.reply_to is not None and verdict.event is not None:
            yield verdict.consumed.reply_to, reply_for(verdict, verdict.event)


def _is_newly_applied(verdict: Verdict) -> bool:
    if verdict.kind is Kind.RELEASED:
        return not verdict.consumed.redelivered
    return (
        verdict.kind is Kind.JUDGED and verdict.event is not None and verdict.event.outcome is Outcome.APPLIED
    )
