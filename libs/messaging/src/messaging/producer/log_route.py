"""Route of commands through the generations of the log: each goes to the first that is open for its key.

A producer never decides by itself that a partition is closed: its brokers refuse what it appends. So all
producers pass on to the next generation at the same point of the log, whatever each of them knew (ADR 0037).
"""

from collections.abc import Collection
from typing import Final

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeConfigsRequest

from domain.errors import NotPublished
from messaging.log.control_records import CLOSED_BYTES
from messaging.log.generations import Generation, first_generation, generations_among
from messaging.producer.group_commit import Partition
from messaging.settings import KafkaSettings

_TOPIC: Final = 2
_LIMIT: Final = "max.message.bytes"

_log = structlog.get_logger(__name__)


class PartitionsClosed(NotPublished):
    """Partitions refuse what was to be appended: it is too large, or they are closed."""

    def __init__(self, places: Collection[Partition]) -> None:
        names = ", ".join(f"{topic}/{number}" for topic, number in sorted(places))
        super().__init__(f"{names} does not take what was to be appended")
        self.places = frozenset(places)

    def __copy__(self) -> "PartitionsClosed":
        """Return an equal error, as callers of one batch get each their own."""
        return PartitionsClosed(self.places)


class LogRoute:
    """The generations of the log, and the partitions of them that are known to be closed."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._generations: list[Generation] = [first_generation(settings)]
        self._closed: set[Partition] = set()
        self._closed_topics: set[str] = set()

    def generation_of(self, topic: str) -> Generation | None:
        """Return the generation that a topic is; None: it is none of the log."""
        return next((each for each in self._generations if each.topic == topic), None)

    def place_of(self, key: bytes) -> Partition:
        """Return where a command goes.

        Raises:
            NotPublished: every known partition of its key is closed.
        """
        for generation in self._generations:
            place = generation.topic, generation.partition_of(key)
            if place not in self._closed:
                return place
        raise NotPublished("the log goes on in a topic that is not known yet")

    async def pass_on(self, places: Collection[Partition], client: AIOKafkaClient) -> None:
        """Have the commands of partitions that refused one go to the next generation.

        Raises:
            NotPublished: a partition is not closed, or no broker knows the next topic yet.
            KafkaError: Kafka does not respond.
        """
        for topic in {topic for topic, _ in places} - self._closed_topics:
            await self._require_closed(topic, client)
            self._closed_topics.add(topic)
            _log.info("log_topic_closed", topic=topic)
        if not self._closed.issuperset(places):
            known = (await client.fetch_all_metadata()).topics()
            # Together: other callers find an open partition at any time.
            self._generations = generations_among(known, self._settings)
            self._closed.update(places)

    async def _require_closed(self, topic: str, client: AIOKafkaClient) -> None:
        # A record may be refused for its size alone.
        request = DescribeConfigsRequest(resources=[(_TOPIC, topic, [_LIMIT])])
        response = await client.send(client.get_random_node(), request)
        [(code, _, _, _, entries)] = response.resources
        if code:
            raise NotPublished(f"the settings of {topic} cannot be read: {for_code(code).__name__}")
        limits = {name: int(value) for name, value, *_ in entries}
        if limits.get(_LIMIT, CLOSED_BYTES + 1) > CLOSED_BYTES:
            raise NotPublished(f"a record is too large for topic {topic}")
