"""Crashes at every point at which a processor can die: the next one completes the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import domain.processing.judging
from domain.processing.halts import STALLED_OPENS
from domain.shipments.commands import Command
from domain.shipments.shipment import decide
from domain.shipments.status import Status
from messaging import codec
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import number, report
from tests.support.crashing.breaking import BREAKING_SOURCE, with_bug
from tests.support.crashing.points import CrashPoint
from tests.support.crashing.processes import KILLED, exit_code
from tests.support.crashing.striking import struck, watched
from tests.support.fault_table import Recovery
from tests.support.site import Site, processing, processor_process
from tests.support.topics import write_values

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.PROCESSOR_KILLED)]

SEAT = "seat-1"
SHIPMENTS = 25
DAY: Sequence[Command] = traffic(SHIPMENTS, seed=3)
UNREADABLE = (b"{", b"\xff")
BROKEN = [report(Status.PICKED_UP, number(index), source=BREAKING_SOURCE) for index in (0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Situation that reaches a point.

    Attributes:
        on_call: on which call the process dies there.
        before: where others died before it.
        risky: walked in `make test`, too.
        poison: records that cannot be read, or break the code, are among the day's.
        awaited: somebody waits for the outcomes.
        ended: the process gets SIGTERM while it works.
    """

    on_call: int = 4
    before: Sequence[Mapping[str, str]] = ()
    risky: bool = False
    poison: bool = False
    awaited: bool = False
    ended: bool = False


_TAKEOVER = Walk(on_call=1, before=[struck(CrashPoint.INSIDE_TRANSACTION, on_call=3)], risky=True)
_BURIAL = Walk(on_call=2, poison=True)
_END = Walk(on_call=1, ended=True)
WALKS = {
    CrashPoint.BEFORE_OLD_SESSIONS: replace(_TAKEOVER, risky=False),
    CrashPoint.BEFORE_EPOCH: _TAKEOVER,
    CrashPoint.AFTER_EPOCH: _TAKEOVER,
    CrashPoint.AFTER_ATTEMPT: replace(
        _TAKEOVER, before=[struck(CrashPoint.INSIDE_TRANSACTION)] * STALLED_OPENS
    ),
    CrashPoint.AFTER_FETCH: Walk(),
    CrashPoint.AFTER_DUPLICATE_LOOKUP: Walk(),
    CrashPoint.AFTER_REDELIVERY_LOOKUP: Walk(
        on_call=1, before=[struck(CrashPoint.AFTER_COMMIT, on_call=3)], risky=True
    ),
    CrashPoint.AFTER_LOAD: Walk(on_call=2),  # few cycles load anything
    CrashPoint.BEFORE_TRANSACTION: Walk(),
    CrashPoint.AFTER_FENCE: Walk(risky=True),
    CrashPoint.INSIDE_TRANSACTION: Walk(risky=True),
    CrashPoint.BEFORE_COMMIT: Walk(risky=True),
    CrashPoint.AFTER_COMMIT: Walk(risky=True),
    CrashPoint.AFTER_MARK: Walk(risky=True),
    CrashPoint.AFTER_REPLIES: Walk(awaited=True),
    CrashPoint.AFTER_PUBLISH: Walk(),
    CrashPoint.AFTER_BATCH: Walk(),
    CrashPoint.BEFORE_OFFSETS: Walk(on_call=1, risky=True),
    CrashPoint.AFTER_OFFSETS: Walk(on_call=1),
    CrashPoint.BEFORE_DEAD_LETTER: _BURIAL,
    CrashPoint.AFTER_DEAD_LETTER: replace(_BURIAL, risky=True),
    CrashPoint.AFTER_DEAD_LETTER_ENTRY: _BURIAL,
    CrashPoint.AFTER_DEAD_LETTER_RECORD: replace(_BURIAL, on_call=1),
    CrashPoint.BEFORE_DRAIN: _END,
    CrashPoint.AFTER_DRAIN: replace(_END, risky=True),
    CrashPoint.BEFORE_LEAVING: _END,
}


def test_every_point_is_walked() -> None:
    assert list(WALKS) == list(CrashPoint)


async def test_every_point_is_still_passed_by_a_processor(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One processor takes over from others that crashed early, processes a day, and is ended."""
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    passed = tmp_path / "passed"
    await send_day(site, Walk(poison=True, awaited=True))
    await die(site, struck(CrashPoint.AFTER_COMMIT, on_call=3))
    for _ in range(STALLED_OPENS):
        await die(site, struck(CrashPoint.INSIDE_TRANSACTION))
    with processor_process(site, "watched", seat=SEAT, env=watched(passed)) as process:
        await site.finished()
        await site.committed()
        process.terminate()
        assert await exit_code(process) == 0
    assert set(passed.read_text().split()) == {point.name for point in CrashPoint}


@pytest.mark.parametrize(
    ("point", "walk"),
    [
        pytest.param(point, walk, id=point.name.lower(), marks=() if walk.risky else pytest.mark.long)
        for point, walk in WALKS.items()
    ],
)
async def test_work_of_a_processor_that_dies_between_two_steps_is_completed_by_the_next(
    site: Site, point: CrashPoint, walk: Walk, recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.processing.judging, "decide", with_bug(decide))
    sent = await send_day(site, walk)
    for strike in walk.before:
        await die(site, strike)
    await die(site, struck(point, on_call=walk.on_call), ended=walk.ended)
    async with processing(site, "next", seat=SEAT):
        with recovery.timed():
            await site.finished()
    assert await site.violations(sent, published=True) == []
    assert await site.dead_lettered() == dead_lettered_by(walk)


async def send_day(site: Site, walk: Walk) -> list[Command]:
    """Write a mixed day to the log, and return the events."""
    if not walk.poison:
        await site.send(DAY, reply_to="answers:nobody" if walk.awaited else None)
        return list(DAY)
    morning, afternoon = DAY[: len(DAY) // 2], [*BROKEN, *DAY[len(DAY) // 2 :]]
    await site.send(morning, reply_to="answers:nobody" if walk.awaited else None)
    for partition in range(site.kafka.partitions):
        await write_values(site.kafka, site.topics.events, [(None, value) for value in UNREADABLE], partition)
    await site.send(afternoon)
    return [*morning, *afternoon]


def dead_lettered_by(walk: Walk) -> set[bytes]:
    """Return the bytes of the records that end as dead letters."""
    return {*UNREADABLE, *map(codec.encode, BROKEN)} if walk.poison else set()


async def die(site: Site, strike: Mapping[str, str], *, ended: bool = False) -> None:
    """Run a processor until it crashes; if it is to crash while it stops, stop it."""
    with processor_process(site, "doomed", seat=SEAT, env=strike) as doomed:
        if ended:
            await site.recorded(SHIPMENTS)
            doomed.terminate()
        assert await exit_code(doomed) == KILLED
