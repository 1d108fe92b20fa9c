"""What strikes a process: its ports fail, before or after they have done their work, or it dies in them."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from domain.errors import CommitUnknown, Fenced, StaleKnowledge
from domain.ports.core import Fence, ShipmentStore
from domain.processing.batch import Plan
from processor.use_cases.shipment_partition import Ports
from tests.support.fakes import Faults


class Death(BaseException):
    """The process is killed: nothing is caught, closed or said any more."""


class _Late(NamedTuple):
    """A commit that was given up, and is still on its way."""

    fence: Fence
    plan: Plan
    recorded_at: datetime


class Perils(Faults):
    """What lies ahead of one process; `fail_next` plans trouble, or its death."""

    def __init__(self) -> None:
        super().__init__()
        self._is_dead = False
        self._delay_until: str | None = None
        self._late: _Late | None = None

    def delay_commit(self, until: str) -> None:
        """Give the next commit up as unknown; it reaches the store just before a later call of `until`."""
        self._delay_until = until

    def guarded(self, port: Any) -> Any:  # noqa: ANN401  # whatever the port is
        """Return `port` with these perils around each of its methods."""
        return _Guarded(port, self)

    def guarded_store(self, store: ShipmentStore, cursed: set[int]) -> ShipmentStore:
        """Return `store` among perils; its commits break over the records at the offsets `cursed`."""
        return cast("ShipmentStore", _GuardedStore(store, self, cursed))

    def watched(self, call: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return `step` with the perils of `call` around it."""

        async def watched(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as they come
            return await self.run(call, lambda: step(*args, **named))

        return watched

    async def run(self, call: str, step: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401  # what the port gives
        """Run one call of a port; a dead process makes none."""
        if self._is_dead:
            raise Death
        try:
            with self.around(call):
                return await step()
        except Death:
            self._is_dead = True
            raise

    async def commit(self, store: ShipmentStore, commit: _Late) -> Fence:
        """Commit, unless this one is to be late."""
        if self._delay_until is not None and self._late is None:
            self._late = commit
            raise CommitUnknown("it is on its way")
        return await store.commit(commit.fence, commit.plan, recorded_at=commit.recorded_at)

    async def let_late_commit_arrive(self, store: ShipmentStore, call: str) -> None:
        """Let a commit that was given up reach the store, if this is the moment."""
        if self._late is None or call != self._delay_until:
            return
        late, self._late, self._delay_until = self._late, None, None
        with suppress(Fenced, StaleKnowledge):
            await store.commit(late.fence, late.plan, recorded_at=late.recorded_at)


class _Guarded:
    """Any port, among perils."""

    def __init__(self, port: Any, perils: Perils) -> None:  # noqa: ANN401  # whatever the port is
        self._port = port
        self._perils = perils

    def __getattr__(self, call: str) -> Callable[..., Awaitable[Any]]:
        return self._perils.watched(call, getattr(self._port, call))


class _GuardedStore(_Guarded):
    """The store: it may be cursed, and its commits may be late."""

    def __init__(self, store: ShipmentStore, perils: Perils, cursed: set[int]) -> None:
        super().__init__(store, perils)
        self._cursed = cursed

    def __getattr__(self, call: str) -> Callable[..., Awaitable[Any]]:
        guarded = super().__getattr__(call)

        async def after_late_commits(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as they come
            await self._perils.let_late_commit_arrive(self._port, call)
            return await guarded(*args, **named)

        return after_late_commits

    async def commit(self, fence: Fence, plan: Plan, *, recorded_at: datetime) -> Fence:
        """Commit, if nothing speaks against it."""
        await self._perils.let_late_commit_arrive(self._port, "commit")
        for verdict in plan.verdicts:
            if verdict.delivery.offset in self._cursed:
                raise ValueError(f"the record at {verdict.delivery.offset} breaks the code")
        commit = _Late(fence, plan, recorded_at)
        moved: Fence = await self._perils.run("commit", lambda: self._perils.commit(self._port, commit))
        return moved


def among_perils(ports: Ports, perils: Perils, cursed: set[int]) -> Ports:
    """Return the ports of one process."""
    return replace(
        ports,
        store=perils.guarded_store(ports.store, cursed),
        notes=perils.guarded(ports.notes),
        duplicates=perils.guarded(ports.duplicates),
        feed=perils.guarded(ports.feed),
        answers=perils.guarded(ports.answers),
        dead_letters=perils.guarded(ports.dead_letters),
        index=perils.guarded(ports.index),
    )
