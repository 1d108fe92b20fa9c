"""Expected state derived from the log: records folded by the plain rules, and compared with the API.

The rules are written down here a second time, as a reader of DESIGN would, one record after the other: no
batches, no caches, no fences. Only the transition table and the wire codec are the product's own.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from domain.shipments.commands import Command, ReportStatus
from domain.shipments.status import Status, can_follow
from messaging import codec
from messaging.log.partitioning import partition_of
from messaging.topics import Topics
from tests.support.api import Api, eventually

Tally = dict[str, str | int | None]


@dataclass(slots=True)
class Entry:
    """Expected state of one event: its outcome, and how often it was seen in which role."""

    fingerprint: str
    outcome: str = "rejected"
    reason: str | None = None
    attempts: int = 0
    duplicates: int = 0
    conflicts: int = 0

    def tally(self) -> Tally:
        return {name: getattr(self, name) for name in TALLIED}


# Statuses that a shipment may have later, but not next.
AHEAD = {
    Status.CREATED: (Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED),
    Status.PICKED_UP: (Status.IN_TRANSIT, Status.DELIVERED),
    Status.IN_WAREHOUSE: (Status.DELIVERED,),
}
MOST_WAITING = 8
TALLIED = ("outcome", "reason", "attempts", "duplicates", "conflicts")


@dataclass(slots=True)
class Life:
    """Expected state of one shipment: its status, the ids of its history, the early events that wait."""

    status: Status | None = None
    history: list[str] = field(default_factory=list)
    events: dict[str, Entry] = field(default_factory=dict)
    waiting: dict[str, Status] = field(default_factory=dict)

    def take(self, command: Command, fingerprint: str) -> None:
        """Fold the next record of this shipment."""
        entry = self.events.setdefault(command.event_id, Entry(fingerprint))
        if command.event_id in self.waiting and entry.fingerprint == fingerprint:
            entry.attempts += 1
        elif entry.outcome != "applied":
            entry.fingerprint = fingerprint
            self._judge(command, entry)
        elif entry.fingerprint == fingerprint:
            entry.duplicates += 1
        else:
            entry.conflicts += 1

    def _judge(self, command: Command, entry: Entry) -> None:
        entry.attempts += 1
        following = command.status if isinstance(command, ReportStatus) else Status.CREATED
        if following is not Status.CREATED and self.status is None:
            entry.reason = "SHIPMENT_NOT_FOUND"
        elif self.status is not None and not can_follow(self.status, following):
            entry.reason = "INVALID_TRANSITION"
            self.waiting.pop(command.event_id, None)
            if following in AHEAD.get(self.status, ()) and len(self.waiting) < MOST_WAITING:
                self.waiting[command.event_id] = following
        else:
            self._apply(command.event_id, following)

    def _apply(self, event_id: str, following: Status) -> None:
        """Apply an event, and then those that waited for it, the first in the log first."""
        entry = self.events[event_id]
        entry.outcome, entry.reason = "applied", None
        self.status = following
        self.history.append(event_id)
        self.waiting.pop(event_id, None)
        for each, status in self.waiting.items():
            if can_follow(following, status):
                self.events[each].attempts += 1
                return self._apply(each, status)
        ahead = AHEAD.get(following, ())
        self.waiting = {each: status for each, status in self.waiting.items() if status in ahead}
        return None


Ledger = dict[str, Life]


async def read_ledger(brokers: str, numbers: Collection[str], *, since: datetime) -> Ledger:
    """Read all records of some shipments, from `since` to the current end of the log, and fold them."""
    ledger = {number: Life() for number in numbers}
    for value in await _records(brokers, Topics().events, numbers, since=since):
        decoded = codec.decode(value)
        ledger[decoded.command.tracking_number].take(decoded.command, decoded.fingerprint)
    return ledger


async def dead_letters(brokers: str, numbers: Collection[str], *, since: datetime) -> list[bytes]:
    """Return the dead letters of some shipments."""
    return await _records(brokers, Topics().dead_letters, numbers, since=since)


async def assert_matches_log(
    admin: Api, brokers: str, numbers: Collection[str], *, since: datetime, within_s: float = 20.0
) -> Ledger:
    """Wait until the API shows exactly what the log demands of these shipments."""
    ledger = await read_ledger(brokers, numbers, since=since)
    demanded = _demanded(ledger)
    differences: dict[str, object] = {}

    async def agree() -> bool | None:
        shown = await _shown(admin, ledger)
        differences.clear()
        differences.update(
            {
                name: {"log": demanded[name], "api": shown[name]}
                for name in demanded
                if shown[name] != demanded[name]
            }
        )
        return not differences or None

    with suppress(TimeoutError):
        await eventually(agree, within_s=within_s)
    assert not differences, "\n".join(f"{name}: {difference}" for name, difference in differences.items())
    return ledger


def _demanded(ledger: Mapping[str, Life]) -> dict[str, object]:
    demanded: dict[str, object] = {}
    for number, life in ledger.items():
        demanded[number] = (life.status, life.history)
        demanded.update({event_id: entry.tally() for event_id, entry in life.events.items()})
    return demanded


async def _shown(admin: Api, ledger: Mapping[str, Life]) -> dict[str, object]:
    event_ids = [event_id for life in ledger.values() for event_id in life.events]
    lives = await asyncio.gather(*(_life_shown(admin, number) for number in ledger))
    tallies = await asyncio.gather(*(_tally_shown(admin, event_id) for event_id in event_ids))
    return {**dict(zip(ledger, lives, strict=True)), **dict(zip(event_ids, tallies, strict=True))}


async def _life_shown(admin: Api, number: str) -> tuple[str | None, list[str]]:
    response = await admin.get(f"/shipments/{number}")
    if response.status != 200:
        return None, []
    return response.body["current_status"], [entry["event_id"] for entry in response.body["status_history"]]


async def _tally_shown(admin: Api, event_id: str) -> Tally | None:
    response = await admin.get(f"/events/{event_id}")
    return {name: response.body[name] for name in TALLIED} if response.status == 200 else None


async def _records(brokers: str, topic: str, numbers: Collection[str], *, since: datetime) -> list[bytes]:
    """Read the records of some keys; those of one key in log order, the only order that counts."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=brokers, enable_auto_commit=False)
    await consumer.start()
    try:
        count = len(consumer.partitions_for_topic(topic))
        partitions = {TopicPartition(topic, partition_of(number.encode(), count)) for number in numbers}
        keys = {number.encode() for number in numbers}
        return [value for key, value in await _tail(consumer, partitions, since) if key in keys]
    finally:
        await consumer.stop()


async def _tail(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition], since: datetime
) -> list[tuple[bytes, bytes]]:
    """Read some partitions from `since` to their current end."""
    since_ms = int(since.timestamp() * 1000)
    starts = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
    ends = await consumer.end_offsets(list(starts))
    open_ends = {partition for partition, start in starts.items() if start is not None}
    for partition in open_ends:
        consumer.seek(partition, starts[partition].offset)
    found: list[tuple[bytes, bytes]] = []
    while open_ends:
        for partition, records in (await consumer.getmany(*open_ends, timeout_ms=200)).items():
            found += [(record.key, record.value) for record in records if record.offset < ends[partition]]
        for partition in list(open_ends):
            if await consumer.position(partition) >= ends[partition]:
                open_ends.discard(partition)
    return found
