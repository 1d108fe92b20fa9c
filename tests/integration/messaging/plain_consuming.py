"""Plain consumers of a topic, whose handlers write down what they were given.

As a program: handle records, print their offsets, and die between the handler and the commit.

plain_consuming.py BROKERS PREFIX GROUP DIE_AFTER
"""

import asyncio
import os
import signal
import sys
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from messaging.consumer.consumer_settings import ConsumerSettings
from messaging.consumer.plain_consumer import PlainConsumer
from messaging.dead_letters.records import Record
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.topics import committed_offsets, is_caught_up, write_values
from tests.support.waiting import wait_for


@dataclass
class Readers:
    """Members of one group on the topic of changes, and what they have handled, in that order.

    Attributes:
        offsets: handled offsets, by partition.
        values: handled values, by key.
        owners: the member that handled a partition last.
        errors: raised by the handler for a partition, while they are set.
        gates: the handler waits for the gate of a partition, if there is one.
        pause_s: how long each call takes.
        calls: how often the handler was called, by partition.
    """

    kafka: KafkaSettings
    group: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    offsets: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    values: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[int, str] = field(default_factory=dict)
    errors: dict[int, Exception] = field(default_factory=dict)
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    pause_s: float = 0.0
    calls: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def topic(self) -> str:
        """The topic that is read."""
        return Topics(self.kafka.topic_prefix).changes

    @property
    def count(self) -> int:
        """Number of handled records."""
        return sum(len(offsets) for offsets in self.offsets.values())

    def member(
        self,
        name: str = "a",
        *,
        commit_every_s: float = 0.1,
        drain_s: float = 5.0,
        stalled_after_s: float = 60.0,
    ) -> PlainConsumer:
        """Build a member."""

        async def handle(records: Sequence[Record]) -> None:
            partition = records[0].partition
            self.calls[partition] += 1
            if gate := self.gates.get(partition):
                await gate.wait()
            await asyncio.sleep(self.pause_s)
            if error := self.errors.get(partition):
                raise error
            self.owners[partition] = name
            self.offsets[partition] += [record.offset for record in records]
            for record in records:
                self.values[record.key or b""].append(int(record.value or b"-1"))

        settings = settings_of(self.kafka, self.topic, self.group, name)
        return PlainConsumer(
            replace(
                settings, commit_every_s=commit_every_s, drain_s=drain_s, stalled_after_s=stalled_after_s
            ),
            handle,
        )

    async def write(self, count: int, partition: int, *, key: bytes | None = None) -> None:
        """Append records to a partition, with values that count."""
        name = key or b"key-%d" % partition
        await write_values(self.kafka, self.topic, [(name, b"%d" % each) for each in range(count)], partition)

    async def all_committed(self) -> None:
        """Wait until the group has committed all there is."""
        await wait_for(
            lambda: is_caught_up(self.kafka, self.group, self.topic), timeout_s=20, what="all of it committed"
        )

    async def committed(self) -> dict[int, int]:
        """Return what the group has committed."""
        return await committed_offsets(self.kafka, self.group, self.topic)


def settings_of(kafka: KafkaSettings, topic: str, group: str, name: str) -> ConsumerSettings:
    """Return the settings of one member, with small batches and a short session."""
    return ConsumerSettings(
        kafka=kafka,
        topic=topic,
        group=group,
        instance=name,
        max_batch=20,
        commit_every_s=3600.0,
        session_timeout_s=6.0,
    )


async def main(brokers: str, prefix: str, group: str, die_after: int) -> None:
    """Handle records until there were `die_after`; then die, with all of them handled and none committed."""
    kafka = KafkaSettings(KAFKA_BROKERS=brokers, KAFKA_TOPIC_PREFIX=prefix)  # type: ignore[call-arg]  # pydantic's alias
    handled = 0

    async def handle(records: Sequence[Record]) -> None:
        nonlocal handled
        handled += len(records)
        sys.stdout.write("".join(f"handled {record.offset}\n" for record in records))
        sys.stdout.flush()
        if handled >= die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    topic = Topics(prefix).changes
    await PlainConsumer(settings_of(kafka, topic, group, "dying"), handle).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
