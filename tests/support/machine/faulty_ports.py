"""Faults of a process: its ports fail, before or after they have done their work, or it is killed in them."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, cast

from domain.errors import CommitUnknown, Fenced, StaleKnowledge
from domain.ports.core import Fence, ShipmentStore
from domain.processing.batch import Plan
from processor.use_cases.ports import Ports
from tests.support.fakes import Faults


class ProcessKilled(BaseException):
    """The process is killed: nothing is caught, closed or logged any more."""


class _DelayedTransaction(NamedTuple):
    """A transaction whose caller gave up, and which is still in flight."""

    plans: Sequence[tuple[Fence, Plan]]
    recorded_at: datetime


class ProcessFaults(Faults):
    """The planned faults of one process; `fail_next` plans an error, or its end."""

    def __init__(self) -> None:
        super().__init__()
        self._is_killed = False
        self._delay_until: str | None = None
        self._delayed: _DelayedTransaction | None = None

    def delay_commit(self, until: str) -> None:
        """Let the next commit end as unknown; it reaches the store just before a later call of `until`."""
        self._delay_until = until

    def guarded(self, port: Any) -> Any:  # noqa: ANN401  # whatever the port is
        """Return `port` with these faults around each of its methods."""
        return _Guarded(port, self)

    def guarded_store(self, store: ShipmentStore, crashing_offsets: set[int]) -> ShipmentStore:
        """Return `store` with faults; its commits raise for the records at `crashing_offsets`."""
        return cast("ShipmentStore", _GuardedStore(store, self, crashing_offsets))

    def watched(self, call: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return `step` with the faults of `call` around it."""

        async def watched(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as they come
            return await self.run(call, lambda: step(*args, **named))

        return watched

    async def run(self, call: str, step: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401  # what the port gives
        """Run one call of a port; a killed process makes none."""
        if self._is_killed:
            raise ProcessKilled
        try:
            with self.around(call):
                return await step()
        except ProcessKilled:
            self._is_killed = True
            raise

    async def commit(self, store: ShipmentStore, commit: _DelayedTransaction) -> list[Fence]:
        """Commit, unless this commit is to be delayed."""
        if self._delay_until is not None and self._delayed is None:
            self._delayed = commit
            raise CommitUnknown("it is in flight")
        return await store.commit(commit.plans, recorded_at=commit.recorded_at)

    async def run_delayed_commit(self, store: ShipmentStore, call: str) -> None:
        """Let a delayed commit reach the store, if `call` is the one it waits for."""
        if self._delayed is None or call != self._delay_until:
            return
        delayed, self._delayed, self._delay_until = self._delayed, None, None
        with suppress(Fenced, StaleKnowledge):
            await store.commit(delayed.plans, recorded_at=delayed.recorded_at)


class _Guarded:
    """A port with faults."""

    def __init__(self, port: Any, faults: ProcessFaults) -> None:  # noqa: ANN401  # whatever the port is
        self._port = port
        self._faults = faults

    def __getattr__(self, call: str) -> Callable[..., Awaitable[Any]]:
        return self._faults.watched(call, getattr(self._port, call))


class _GuardedStore(_Guarded):
    """A store with faults: records may break its commits, and commits may be delayed."""

    def __init__(self, store: ShipmentStore, faults: ProcessFaults, crashing_offsets: set[int]) -> None:
        super().__init__(store, faults)
        self._crashing_offsets = crashing_offsets

    def __getattr__(self, call: str) -> Callable[..., Awaitable[Any]]:
        guarded = super().__getattr__(call)

        async def after_delayed_commit(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as they come
            await self._faults.run_delayed_commit(self._port, call)
            return await guarded(*args, **named)

        return after_delayed_commit

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """Commit, unless a fault is planned."""
        await self._faults.run_delayed_commit(self._port, "commit")
        for verdict in chain.from_iterable(plan.verdicts for _, plan in plans):
            if verdict.consumed.offset in self._crashing_offsets:
                raise ValueError(f"the record at {verdict.consumed.offset} breaks the code")
        commit = _DelayedTransaction(plans, recorded_at)
        moved: list[Fence] = await self._faults.run("commit", lambda: self._faults.commit(self._port, commit))
        return moved


def with_faults(ports: Ports, faults: ProcessFaults, crashing_offsets: set[int]) -> Ports:
    """Return the ports of one process, with its faults."""
    return replace(
        ports,
        store=faults.guarded_store(ports.store, crashing_offsets),
        partition_state=faults.guarded(ports.partition_state),
        duplicates=faults.guarded(ports.duplicates),
        feed=faults.guarded(ports.feed),
        replies=faults.guarded(ports.replies),
        dead_letters=faults.guarded(ports.dead_letters),
        index=faults.guarded(ports.index),
    )
