"""The failures of two regions, each with the procedure of docs/multi-region.md and without it."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final, NamedTuple

from bench.regions.world import SHIPMENTS, STEPS, Mirror, Record, Region, Senders, Store, folded

_LENGTH: Final = 40
"""Length of a phase: fewer steps than all scans take, so that some are sent after it."""


class Damage(NamedTuple):
    """Damage of one run.

    Attributes:
        acknowledged: acknowledged events, repetitions included.
        lost: of these, those without a record that was judged in the region where the run ended.
        doubled: events that were applied more than once.
        wrong: events with another outcome than their log gives them, read once in its order.
        unfinished: steps that no shipment has reached, though each of their scans was acknowledged.
        changed: events that a reader has seen applied, and that are not applied where the run ended.
    """

    acknowledged: int
    lost: int
    doubled: int
    wrong: int
    unfinished: int
    changed: int = 0


@dataclass(slots=True)
class World:
    """Region `a`, which accepts at first, region `b`, the mirror between them, and the senders.

    Attributes:
        holds: early events are held for as long as a run takes (`EARLY_EVENTS_HOLD_HOURS`).
    """

    seed: int
    holds: bool = True
    a: Region = field(default_factory=Region)
    b: Region = field(default_factory=Region)
    mirror: Mirror = field(init=False)
    senders: Senders = field(init=False)
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        """Wire it."""
        self.chance = Random(self.seed)  # noqa: S311  # repeatable
        self.a.store.holds = self.b.store.holds = self.holds
        self.mirror = Mirror(self.a, self.b)
        self.senders = Senders(self.chance)

    def work(self, *accepting: Region, linked: bool = True) -> None:
        """Send, copy and apply in random order, with restarts; each shipment is sent to one region."""
        slowness = self.chance.choice((1, 2, 6))
        for _ in range(_LENGTH):
            match self.chance.randrange(8):
                case 0 | 1 | 2:
                    at = self.chance.randrange(len(accepting))
                    self.senders.send(accepting[at], range(at, SHIPMENTS, len(accepting)))
                case 3 | 4 if linked and self.chance.randrange(slowness) == 0:
                    self.mirror.copy(self.chance.randrange(1, 6))
                case 5 if linked:
                    self.mirror.restart()
                case 6 | 7:
                    self._process(self.chance.choice((self.a, self.b)))

    def _process(self, region: Region) -> None:
        region.process(self.chance.randrange(1, 6))
        if self.chance.choice((True, False)):
            region.committed = region.position
        elif self.chance.choice((True, False)):
            region.restart()

    def finish(self, region: Region) -> None:
        """Send all that remains to a region, and apply it."""
        self.senders.finish(region)
        region.drain()

    def reverse(self) -> None:
        """Begin new logs, empty in both regions, with the mirror in the other direction."""
        for region in (self.a, self.b):
            region.log, region.position, region.committed = [], 0, 0
            region.store.next_offset = 0
        self.mirror = Mirror(self.mirror.target, self.mirror.source)

    def folded(self, log: Sequence[Record]) -> Store:
        """Return the store of a log that was read once."""
        return folded(log, holds=self.holds)

    def damage(self, store: Store, judged: Sequence[Record], seen: Collection[Record] = ()) -> Damage:
        """Compare the store where a run ended with the log that it should be the result of."""
        records, times = Counter(judged), Counter(store.history)
        acknowledged = self.senders.acknowledged
        return Damage(
            acknowledged.total(),
            lost=(acknowledged - records).total(),
            doubled=sum(number - 1 for number in times.values()),
            wrong=differing(store, self.folded(judged)),
            unfinished=SHIPMENTS * STEPS - store.reached.total(),
            changed=len(set(seen) - store.applied()),
        )


def differing(one: Store, other: Store) -> int:
    """Return the number of events whose outcome is not the same in two stores."""
    outcomes = [{record: each.applied for record, each in store.outcomes.items()} for store in (one, other)]
    return len({record for record, _ in outcomes[0].items() ^ outcomes[1].items()})


def region_lost(world: World) -> Damage:
    """Lose region A for ever, and take up B."""
    world.work(world.a)
    seen = world.a.store.applied()
    world.finish(world.b)
    return world.damage(world.b.store, world.b.log, seen)


def region_returns(world: World, *, finish: bool) -> Damage:
    """Take up B; A's disks come back, and the mirror finishes, or A's log is thrown away."""
    world.work(world.a)
    world.work(world.b, linked=False)
    if finish:
        world.mirror.drain()
    world.finish(world.b)
    return world.damage(world.b.store, world.b.log)


def link_cut(world: World) -> Damage:
    """Cut the link for a while and take nothing up: B has it all afterwards, with the outcomes of A."""
    world.work(world.a)
    world.work(world.a, linked=False)
    world.finish(world.a)
    world.mirror.drain()
    world.b.drain()
    return world.damage(world.b.store, world.a.log, world.a.store.applied())


def split(world: World, *, finish: bool) -> Damage:
    """Take up B while A still accepts; later the mirror finishes, or A's log is thrown away."""
    world.work(world.a)
    world.work(world.a, world.b, linked=False)
    world.a.drain()
    seen = world.a.store.applied()
    if finish:
        world.mirror.drain()
    world.finish(world.b)
    return world.damage(world.b.store, world.b.log, seen)


def planned_switch(world: World, *, wait: bool) -> Damage:
    """Move to B on purpose, with new logs: after the mirror and both processors are done, or at once."""
    world.work(world.a)
    before = world.a.log
    world.a.drain()
    if wait:
        world.mirror.drain()
    world.b.drain()
    seen = world.a.store.applied()
    judged = [*before[: world.mirror.position]]
    world.reverse()
    world.work(world.b)
    world.finish(world.b)
    world.mirror.drain()
    world.a.drain()
    damage = world.damage(world.b.store, [*judged, *world.b.log], seen)
    return damage._replace(changed=damage.changed + differing(world.a.store, world.b.store))


def fail_back(world: World, *, restore: bool) -> Damage:
    """Return to A after B was taken up: with a copy of B's store and new logs, or with what A has left."""
    world.work(world.a)
    taken_up_at = len(world.b.log)
    world.work(world.b, linked=False)
    world.mirror.drain()
    world.b.drain()
    judged, seen = [*world.b.log], world.b.store.applied()
    if restore:
        world.a.store = copy.deepcopy(world.b.store)
        world.reverse()
        world.work(world.b)
        world.mirror.drain()
        world.a.drain()
        seen = world.b.store.applied()
        world.finish(world.a)
        return world.damage(world.a.store, [*judged, *world.a.log], seen)
    world.a.log += judged[taken_up_at:]
    world.finish(world.a)
    damage = world.damage(world.a.store, world.a.log, seen)
    return damage._replace(wrong=differing(world.a.store, world.folded(judged)))


def mirror_restarts(world: World, *, exactly_once: bool) -> Damage:
    """Restart the mirror now and then; B is to have the outcomes of A."""
    world.mirror.exactly_once = exactly_once
    world.work(world.a)
    world.work(world.a)
    world.finish(world.a)
    world.mirror.drain()
    world.b.drain()
    damage = world.damage(world.b.store, world.b.log, world.a.store.applied())
    return damage._replace(wrong=differing(world.a.store, world.b.store))


def shared_store(world: World, *, start_at: Callable[[int, int], int]) -> Damage:
    """Lose region A, where one replica set spans both: its fence holds an offset of A's log.

    The mirror began in the middle of A's log, so that offsets differ. The members in B have a prefix of A's
    writes.

    Args:
        world: to break.
        start_at: returns the offset of B's log to begin at, from the fence and the number of records that the
            mirror left out.
    """
    world.work(world.a, linked=False)
    world.a.drain()
    omitted = world.mirror.position = world.mirror.saved = len(world.a.log)
    world.work(world.a)
    fence = max(omitted, world.a.store.next_offset - world.chance.randrange(4))
    known, end = world.a.log[:fence], len(world.b.log)
    applied = min(end, fence - omitted)
    store = world.b.store = world.folded(known)
    store.next_offset = world.b.position = world.b.committed = min(end, start_at(fence, omitted))
    world.finish(world.b)
    judged = world.b.log[max(applied, min(end, start_at(fence, omitted))) :]
    damage = world.damage(store, [*known, *judged])
    return damage._replace(wrong=differing(store, world.folded([*known, *world.b.log[applied:]])))


def without_holding(world: World, *, failure: "Failure") -> Damage:
    """Let a failure happen where early events are not held."""
    return failure(World(world.seed, holds=False))


Failure = Callable[[World], Damage]

PROCEDURES: Final[dict[str, Failure]] = {
    "region lost for ever": region_lost,
    "region lost, its disks return": partial(region_returns, finish=True),
    "link cut, nothing taken up": link_cut,
    "both regions accept": partial(split, finish=True),
    "planned switch": partial(planned_switch, wait=True),
    "return to the first region": partial(fail_back, restore=True),
    "mirror restarted": partial(mirror_restarts, exactly_once=True),
}
"""Each failure, where operators follow the procedure."""

LOSING: Final = ("region lost for ever",)
"""Those that lose what was not mirrored, whatever operators do."""

_AT_LEAST_ONCE: Final = partial(mirror_restarts, exactly_once=False)
_FROM_THE_START: Final = partial(shared_store, start_at=lambda _, __: 0)

MISTAKES: Final[dict[str, Failure]] = {
    "disks return, early events not held": partial(
        without_holding, failure=PROCEDURES["region lost, its disks return"]
    ),
    "disks return, the log is thrown away": partial(region_returns, finish=False),
    "both accept, one log is thrown away": partial(split, finish=False),
    "planned switch that does not wait": partial(planned_switch, wait=False),
    "return to the store that was left": partial(fail_back, restore=False),
    "mirror at least once, not held": partial(without_holding, failure=_AT_LEAST_ONCE),
}
"""The same failures without it, or with less."""

ALTERNATIVES: Final[dict[str, Failure]] = {
    "fence taken as it is": partial(shared_store, start_at=lambda fence, _: fence),
    "mirror read from its start": _FROM_THE_START,
    "mirror read from its start, not held": partial(without_holding, failure=_FROM_THE_START),
    "fence translated exactly": partial(shared_store, start_at=lambda fence, left: fence - left),
}
"""One replica set over both regions, as ADR 0041 considered it, with region A lost for ever."""
