"""Settings of the consumer loop."""

from dataclasses import dataclass

from domain.processing.batch import LARGE_BATCH
from messaging.settings import KafkaSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSettings:
    """Settings of one consumer loop.

    Attributes:
        group_instance: a name that survives restarts, unique in the group: a member that comes back under it
            gets its partitions back at once; without a name, it waits until the old session expires.
        max_batch: records passed to a handler at once.
        commit_every_s: interval of the offset commits; records that are applied but not committed are
            redelivered after a crash.
        drain_s: how long the batches in flight may take at a rebalance and at shutdown; shutdown takes six
            seconds more at most, for a last poll, the last commit and leaving the group.
        stalled_after_s: the watchdog gives up when records wait and nothing progresses for that long.
    """

    kafka: KafkaSettings
    topic: str
    group: str
    instance: str
    group_instance: str | None = None
    max_batch: int = 1000
    commit_every_s: float = 1.0
    session_timeout_s: float = 10.0
    rebalance_timeout_s: float = 60.0
    drain_s: float = 8.0
    stalled_after_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings(ConsumerSettings):
    """Settings of a consumer loop whose partitions have owners.

    Attributes:
        concurrency: large batches in flight at once, over all partitions: fewer make larger ones.
        large_batch: records of a large batch; a smaller one needs no slot.
    """

    concurrency: int = 3
    large_batch: int = LARGE_BATCH
