"""Consumer of the log: a consumer loop for each generation that is not applied to its end (ADR 0037)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from domain.errors import TransientError
from domain.ports.partitions import PartitionStateStore
from messaging.consumer.runtime import PartitionRuntime
from messaging.health import KafkaProbe
from messaging.log.generations import Generation

LOOK_EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)

RuntimeFactory = Callable[[Generation, Generation | None], PartitionRuntime]
"""Makes the consumer loop of a generation, given the one before it."""


class LogRuntime:
    """The consumer loops of a process; one more begins when the log grows, one ends when its topic has."""

    def __init__(
        self, first: Generation, runtimes: RuntimeFactory, *, kafka: KafkaProbe, state: PartitionStateStore
    ) -> None:
        """Create it; `run` starts it.

        Args:
            first: generation that the log begins with.
            runtimes: makes a consumer loop.
            kafka: is asked for generations; stopped by its creator.
            state: is asked for partitions that have ended.
        """
        self._first = first
        self._new_runtime = runtimes
        self._kafka = kafka
        self._state = state
        self._runtimes: dict[Generation, PartitionRuntime] = {}
        self._tasks: dict[asyncio.Task[None], Generation] = {}
        self._ended: set[Generation] = set()
        self._is_stopping = False

    @property
    def is_ready(self) -> bool:
        """True if each consumer loop is ready."""
        return bool(self._runtimes) and all(each.is_ready for each in self._runtimes.values())

    @property
    def halted(self) -> int:
        """Number of halted partitions."""
        return sum(each.halted for each in self._runtimes.values())

    @property
    def lags(self) -> Mapping[str, int]:
        """Number of records of each partition that were not done yet, seconds ago."""
        return self._labelled(lambda runtime: runtime.lags)

    @property
    def offsets(self) -> Mapping[str, int]:
        """Offsets up to which partitions are done, where something was since their assignment."""
        return self._labelled(lambda runtime: runtime.offsets)

    def stop(self) -> None:
        """Make `run` drain, commit and return; no batch begins from here on."""
        self._is_stopping = True
        for each in self._runtimes.values():
            each.stop()

    async def run(self) -> None:
        """Consume until `stop`.

        Raises:
            RuntimeStopped: a consumer loop cannot continue.
        """
        await self._look()
        if not self._runtimes:  # Kafka does not respond: wait for it as any consumer does
            self._begin(self._first, None)
        try:
            while self._tasks:
                done, _ = await asyncio.wait(
                    self._tasks, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del self._runtimes[self._tasks.pop(task)]
                    task.result()
                await self._look()
        finally:
            self.stop()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self) -> None:
        """Begin consuming generations that are new; stop it where everything is applied."""
        if self._is_stopping:
            return
        try:
            generations = list(await self._kafka.generations())
            for generation, after in zip(generations, [None, *generations], strict=False):
                if generation not in self._ended and generation != generations[-1]:
                    await self._note_end(generation)
                if generation not in self._ended and generation not in self._runtimes:
                    self._begin(generation, after)
        except TransientError as error:
            _log.warning("log_not_looked_at", error=str(error))

    async def _note_end(self, generation: Generation) -> None:
        names = {generation.name_of(number) for number in range(generation.partitions)}
        if await self._state.ended(names) == names:
            self._ended.add(generation)
            _log.info("log_topic_applied", topic=generation.topic)
            if generation in self._runtimes:
                self._runtimes[generation].stop()

    def _begin(self, generation: Generation, after: Generation | None) -> None:
        if self._is_stopping:
            return
        runtime = self._runtimes[generation] = self._new_runtime(generation, after)
        task = asyncio.create_task(runtime.run(), name=f"consume-{generation.topic}")
        self._tasks[task] = generation

    def _labelled(self, of: Callable[[PartitionRuntime], Mapping[int, int]]) -> dict[str, int]:
        return {
            generation.label_of(number): count
            for generation, runtime in self._runtimes.items()
            for number, count in of(runtime).items()
        }
