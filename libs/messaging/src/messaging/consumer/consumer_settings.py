"""How the consumer loop runs."""

from dataclasses import dataclass

from domain.processing.batch import LARGE_BATCH
from messaging.settings import KafkaSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """How the loop runs.

    Attributes:
        group_instance: a name that survives restarts, unique in the group: a member that comes back under it
            takes its partitions up at once, where a nameless one waits until the dead one's session ends.
        max_batch: records handed to a handler at once.
        concurrency: large batches in work at once, over all partitions: fewer make larger ones.
        large_batch: records of a large batch; a smaller one does not wait for its turn.
        commit_every_s: how old a commit may be; what is applied but not committed is redelivered after a
            crash, and recognised then.
        drain_s: how long the batches in work may take at a rebalance and at the end; all of the end takes
            six seconds more at most, for a last poll, the last commit and the farewell.
        stalled_after_s: the watchdog gives up when records wait and nothing moves for that long.
    """

    kafka: KafkaSettings
    topic: str
    group: str
    instance: str
    group_instance: str | None = None
    max_batch: int = 1000
    concurrency: int = 3
    large_batch: int = LARGE_BATCH
    commit_every_s: float = 1.0
    session_timeout_s: float = 10.0
    rebalance_timeout_s: float = 60.0
    drain_s: float = 8.0
    stalled_after_s: float = 120.0
