"""Callers that send shipments' events through several producers, and what became of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from domain.errors import TransientError
from domain.shipments.commands import Command
from messaging.producer.command_log import KafkaCommandLog
from storage.mongo.schema import STATUS_EVENTS
from tests.integration.processor.traffic import life
from tests.support.producing import producer_on
from tests.support.site import Site


@dataclass
class Senders:
    """Callers of several replicas of ingest-api: each sends the events of one shipment, one after the other.

    Attributes:
        sent: the events that were acknowledged.
        accepted: their ids, the events of each shipment, in the order in which they were acknowledged.
        accepted_at: when each was acknowledged for the first time, by its id.
        refused: why an event had to be sent again.
    """

    logs: Sequence[KafkaCommandLog]
    accepted: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    accepted_at: dict[str, datetime] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)

    async def send(self, index: int, *, pause_s: float) -> None:
        chance = Random(index)  # noqa: S311  # a test that can be repeated
        for command in life(index, chance):
            await self._send(command, chance)
            await asyncio.sleep(pause_s * chance.random())

    async def _send(self, command: Command, chance: Random) -> None:
        while True:
            try:
                await chance.choice(self.logs).append([command])
            except TransientError as error:
                self.refused.append(str(error))
                await asyncio.sleep(0.05)
            else:
                self.accepted[command.tracking_number].append(command.event_id)
                self.accepted_at.setdefault(command.event_id, datetime.now(UTC))
                self.sent.append(command)
                return


@asynccontextmanager
async def senders_on(site: Site, replicas: int) -> AsyncIterator[Senders]:
    async with AsyncExitStack() as stack:
        producers = [await stack.enter_async_context(producer_on(site.kafka)) for _ in range(replicas)]
        yield Senders([KafkaCommandLog(each, site.topics, max_in_flight=10_000) for each in producers])


async def order_in_log(site: Site) -> dict[str, list[str]]:
    """Return the events of each shipment in the order of the log; one that follows itself was sent again."""
    events: defaultdict[str, list[str]] = defaultdict(list)
    for record in (await site.observed()).log:
        assert record.command is not None
        of_shipment = events[record.command.tracking_number]
        if not of_shipment or of_shipment[-1] != record.command.event_id:
            of_shipment.append(record.command.event_id)
    return events


def without_repetitions(events: Sequence[str]) -> list[str]:
    return [each for index, each in enumerate(events) if index == 0 or events[index - 1] != each]


async def longest_wait_s(site: Site, senders: Senders) -> float:
    """Return the longest time from the acknowledgement of an event until it had an outcome, in seconds.

    Events that were held are left out: they wait for others.
    """
    at_once = site.database[STATUS_EVENTS].find({"released_by": {"$exists": False}})
    waits = [event["recorded_at"] - senders.accepted_at[event["_id"]] async for event in at_once]
    return float(max(waits).total_seconds())
