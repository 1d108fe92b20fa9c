"""Generations of the log: one topic after the other, each with more partitions than the last (ADR 0037).

The number of partitions of a topic never changes: keys would be redistributed over them. To have more, the
log goes on in another topic, whose name says its number of partitions. The earlier one is closed: its brokers
refuse every command, and the last record of each of its partitions is a marker.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from messaging.log.partitioning import partition_of
from messaging.settings import KafkaSettings
from messaging.topics import Topics

_OFFSET_BITS: Final = 40
"""Bits of an offset: enough for 4,000 events/s for eight years."""
_NUMBER_BITS: Final = 16
"""Bits of the number of a partition."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One topic of the log.

    Attributes:
        partitions: number that keys are distributed over.
        topic: its name.
        is_first: it is the topic that every log begins with.
    """

    partitions: int
    topic: str
    is_first: bool = False

    @property
    def base(self) -> int:
        """Number added to an offset to make it a position in the log; later generations have higher ones."""
        return 0 if self.is_first else self.partitions << _OFFSET_BITS

    @property
    def group(self) -> str:
        """Suffix of the name of the consumer group: each generation has a group of its own."""
        return "" if self.is_first else f"-{self.partitions}"

    def name_of(self, partition: int) -> str:
        """Return the name of a partition, `topic/number`."""
        return f"{self.topic}/{partition}"

    def label_of(self, partition: int) -> str:
        """Return a short name of a partition: its number, in a later generation after that of all."""
        return str(partition) if self.is_first else f"{self.partitions}/{partition}"

    def place_of(self, partition: int) -> int:
        """Return a number that no other partition of the log has; in the first generation, its own."""
        return self._places + partition

    @property
    def _places(self) -> int:
        return 0 if self.is_first else self.partitions << _NUMBER_BITS

    def partition_of(self, key: bytes) -> int:
        """Return the partition of a key."""
        return partition_of(key, self.partitions)

    def feeding(self, partition: int, later: "Generation") -> list[int]:
        """Return the partitions of this generation whose keys may be in a partition of the one after it.

        A key's partitions are remainders of one hash, so they agree modulo what divides both numbers.
        """
        divisor = math.gcd(self.partitions, later.partitions)
        return list(range(partition % divisor, self.partitions, divisor))


@dataclass(frozen=True, slots=True)
class LogPartition:
    """A partition of the log.

    Attributes:
        generation: it belongs to.
        number: in its topic.
        after: the generation before, None in the first one.
    """

    generation: Generation
    number: int
    after: Generation | None = None

    @property
    def name(self) -> str:
        """The partition, `topic/number`."""
        return self.generation.name_of(self.number)

    @property
    def predecessors(self) -> frozenset[str]:
        """The partitions, `topic/number`, whose records come before its own."""
        if self.after is None:
            return frozenset()
        feeding = self.after.feeding(self.number, self.generation)
        return frozenset(self.after.name_of(number) for number in feeding)


def place_at(partition: int, position: int) -> int:
    """Return the `Generation.place_of` of a partition, given the position of a record in it."""
    return (generation_at(position) << _NUMBER_BITS) + partition


def generation_at(position: int) -> int:
    """Return a number of the generation that a position is in; those of later ones are higher."""
    return position >> _OFFSET_BITS


def number_at(place: int) -> int:
    """Return the number of the partition at a `Generation.place_of`."""
    return place & ((1 << _NUMBER_BITS) - 1)


def first_generation(settings: KafkaSettings) -> Generation:
    """Return the generation that every log begins with."""
    return Generation(settings.partitions, Topics(settings.topic_prefix).events, is_first=True)


def later_generation(settings: KafkaSettings, partitions: int) -> Generation:
    """Return the generation with a number of partitions, which need not exist."""
    return Generation(partitions, f"{Topics(settings.topic_prefix).events}-{partitions}")


def generations_among(topics: Iterable[str], settings: KafkaSettings) -> list[Generation]:
    """Return the generations of the log in their order; the first is one whether its topic exists or not.

    Args:
        topics: the names of all topics.
        settings: of the connection.
    """
    first = first_generation(settings)
    start = f"{first.topic}-"
    numbers = {name.removeprefix(start) for name in topics if name.startswith(start)}
    counts = sorted(int(each) for each in numbers if each.isascii() and each.isdecimal() and each[0] != "0")
    return [first, *(later_generation(settings, count) for count in counts if count > first.partitions)]
