"""Rules of the machine: events in any order, and the invariants after every step."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from enum import Enum, auto
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.errors import CommitUnknown, NotPublished, PublishUnknown, StoreUnavailable
from domain.shipments.commands import Command, RetractEvent
from tests.support.builders import retraction
from tests.support.history import violations
from tests.support.machine.commands import JOURNEYS, SINGLES, SOME
from tests.support.machine.faulty_ports import ProcessFaults, ProcessKilled
from tests.support.machine.owner import Owner
from tests.support.machine.world import World
from tests.support.observed import logged

MOST_OWNERS = 3

Result = TypeVar("Result")


class PlannedFault(NamedTuple):
    """An error in a call, before or after it has done its work."""

    call: str
    error: type[BaseException]
    after: bool

    def plan_in(self, faults: ProcessFaults) -> None:
        """Plan the fault."""
        faults.fail_next(self.call, self.error(), after=self.after)


class DelayedCommit(NamedTuple):
    """A commit that ends as unknown, and reaches the store later."""

    until: str

    def plan_in(self, faults: ProcessFaults) -> None:
        """Plan the fault."""
        faults.delay_commit(self.until)


class Leaving(Enum):
    """Ways in which the previous owner is replaced."""

    RELEASED = auto()
    KILLED = auto()
    UNAWARE = auto()


_BEFORE_AND_AFTER = (False, True)
_STORE = (
    "acquire",
    "refresh",
    "load",
    "find_events",
    "dead_letter",
    "record",
    "write_shipments",
    "commit",
    "note_attempt",
    "note_replay",
    "entries",
)
_FAILING = (
    *(PlannedFault(call, StoreUnavailable, after) for call in _STORE for after in _BEFORE_AND_AFTER),
    PlannedFault("publish", NotPublished, after=False),
    PlannedFault("publish", PublishUnknown, after=True),
)
_KILLING = tuple(
    PlannedFault(call, ProcessKilled, after)
    for call in (*_STORE, "seen", "mark", "send", "publish")
    for after in _BEFORE_AND_AFTER
)
_TAKING_OVER = tuple(each for each in (*_FAILING, *_KILLING) if each.call in ("acquire", "entries"))
_LATE = tuple(DelayedCommit(until) for until in ("refresh", "load", "find_events", "commit"))
_UNKNOWN_OUTCOME = tuple(PlannedFault("commit", CommitUnknown, after) for after in _BEFORE_AND_AFTER)
_sizes = st.sampled_from([1, 1, 2, 3, 5, 12])
_anyone = st.integers(0, MOST_OWNERS - 1)
_planned_faults = (
    st.sampled_from(_UNKNOWN_OUTCOME)
    | st.sampled_from(_FAILING)
    | st.sampled_from(_KILLING)
    | st.sampled_from(_LATE)
)


class ProcessorMachine(RuleBasedStateMachine):
    """Processes start and end over one `world`, in the event loop of `runner`."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        super().__init__()
        self._world = world
        self._loop = runner.get_loop()
        self._owners: list[Owner] = []
        self._assigned: Owner | None = None
        self._committable = 0
        self._versions: dict[str, int] = {}
        self._holds = True

    @initialize(journeys=st.lists(JOURNEYS, min_size=1, max_size=4))
    def start(self, journeys: list[list[Command]]) -> None:
        """Let the first process take the partition over; some shipments exist."""
        for command in chain.from_iterable(journeys):
            self._world.send(command)
        self._run(self._assign(0))

    @rule(commands=SOME, waits=st.booleans())
    def send(self, commands: list[Command], waits: bool) -> None:  # noqa: FBT001  # drawn
        """Append commands: new, repeated, too early, too late, or contradicting earlier ones."""
        for command in commands:
            self._world.send(command, waits=waits)

    @rule(which=st.integers(0, 30), count=st.integers(1, 4))
    def send_again(self, which: int, count: int) -> None:
        """Append earlier records again, as a client without a response does."""
        first = which % len(self._world.log)
        for record in self._world.log[first : first + count]:
            self._world.append(record)

    @rule(back=st.integers(1, 6))
    def retract(self, back: int) -> None:
        """Append the retraction of one of the last events: of any that has just been held or applied, too."""
        command = logged(self._world.log[-min(back, len(self._world.log))]).command
        if command is not None and not isinstance(command, RetractEvent):
            self._world.send(retraction(command))

    @rule(command=st.none() | SINGLES)
    def send_broken(self, command: Command | None) -> None:
        """Append an unreadable record, or one that breaks the code at every attempt."""
        if command is None:
            self._world.send_unreadable()
        else:
            self._world.crashing_offsets.add(self._world.send(command))

    @precondition(lambda self: self._world.dead_letters())
    @rule(which=st.integers(0, 5))
    def replay(self, which: int) -> None:
        """Replay a dead letter into the log."""
        self._world.replay(which)

    @precondition(lambda self: self._behind())
    @rule(who=_anyone, count=_sizes)
    def deliver(self, who: int, count: int) -> None:
        """Pass a process its next batch: the owner, or one that was replaced and does not know it."""
        self._deliver(self._behind()[who % len(self._behind())], count)

    @precondition(lambda self: self._behind())
    @rule(who=_anyone, count=_sizes, fault=_planned_faults)
    def deliver_with_fault(self, who: int, count: int, fault: PlannedFault | DelayedCommit) -> None:
        """Pass a process its next batch with a planned fault, in this call or a later one."""
        owner = self._behind()[who % len(self._behind())]
        fault.plan_in(owner.faults)
        self._deliver(owner, count)

    @precondition(lambda self: len(self._behind()) > 1)
    @rule(count=_sizes)
    def deliver_to_all(self, count: int) -> None:
        """Pass their next batch to all that believe that they own the partition, one after the other."""
        for owner in self._behind():
            self._deliver(owner, count)

    @rule(
        leaving=st.sampled_from(Leaving),
        rewind=st.sampled_from([0, 0, 1, 5, 20]),
        cache_size=st.sampled_from([100, 100, 1]),
        fault=st.none() | st.sampled_from(_TAKING_OVER),
    )
    def rebalance(self, leaving: Leaving, rewind: int, cache_size: int, fault: PlannedFault | None) -> None:
        """Let another process take over, from any offset that the previous one may have committed."""
        self._run(self._leave(leaving))
        self._run(self._assign(max(0, self._committable - rewind), cache_size=cache_size, fault=fault))

    @rule(forgets=st.booleans())
    def redis(self, forgets: bool) -> None:  # noqa: FBT001  # drawn
        """Empty Redis; or make it unreachable, or reachable again with its old data."""
        if forgets:
            self._run(self._world.hints.forget())
        else:
            self._world.redis_is_up = not self._world.redis_is_up

    @invariant()
    def everything_is_as_the_log_says(self) -> None:
        """Check that the log is applied up to the fence, each record once, and nothing else published."""
        self._world.clock.advance(timedelta(seconds=1))
        self._must_hold(self._run(self._faults()))

    def teardown(self) -> None:
        """Let one healthy process finish, and compare with the domain rules run over the whole log."""
        try:
            if self._holds:
                self._must_hold(self._run(self._faults_at_the_end()))
        finally:
            self._run(self._end())

    def _run(self, step: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(step)

    def _living(self) -> list[Owner]:
        return [owner for owner in self._owners if owner.is_alive]

    def _behind(self) -> list[Owner]:
        return [owner for owner in self._living() if owner.is_behind]

    def _deliver(self, owner: Owner, count: int) -> None:
        self._run(owner.deliver(count))
        if owner is self._assigned:
            self._committable = max(self._committable, owner.done)

    def _must_hold(self, faults: list[str]) -> None:
        self._holds = faults == []
        assert faults == []

    async def _assign(
        self, position: int, *, cache_size: int = 100, fault: PlannedFault | None = None
    ) -> Owner:
        name = f"owner-{len(self._owners)}"
        owner = self._assigned = Owner(name, self._world, position, cache_size=cache_size)
        self._owners.append(owner)
        if fault is not None:
            fault.plan_in(owner.faults)
        await owner.taken_over()
        return owner

    async def _leave(self, leaving: Leaving) -> None:
        before = self._assigned
        if before is not None and before.is_alive and leaving is Leaving.RELEASED:
            await before.release()
        elif before is not None and leaving is Leaving.KILLED:
            await before.kill()
        unaware = self._living()
        if len(unaware) == MOST_OWNERS:
            await unaware[0].kill()

    async def _faults(self) -> list[str]:
        observed = await self._world.observed()
        shrunk = [
            f"{number}: version {document['version']} after {self._versions[number]}"
            for number, document in observed.shipments.items()
            if document["version"] < self._versions.get(number, 0)
        ]
        self._versions = {number: document["version"] for number, document in observed.shipments.items()}
        applied = {
            each
            for each, event in observed.events.items()
            if event["outcome"] == "applied" or event["reason"] == "RETRACTED"
        }
        published = {message.event_id for some in self._world.published().values() for message in some}
        untrue = [f"{each}: published, but not applied" for each in sorted(published - applied)]
        return [*violations(observed), *shrunk, *untrue]

    async def _faults_at_the_end(self) -> list[str]:
        self._world.redis_is_up = True
        last = await self._assign(self._committable)
        await last.deliver(len(self._world.log))
        return [*violations(await self._world.observed_to_the_end()), *await self._faults()]

    async def _end(self) -> None:
        for owner in self._owners:
            await owner.kill()
