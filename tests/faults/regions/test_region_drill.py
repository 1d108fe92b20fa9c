"""The drill of docs/multi-region.md: a region is lost under load, its disks return, and it is used again."""

import asyncio
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.faults.ledger import Ledger
from tests.faults.load import USER, Load, Pace
from tests.faults.matrix import Row
from tests.faults.regions.drill import Drill, Process, Region, applied, drilling, keys, mirrored
from tests.faults.watch import Watch, sending
from tests.support.api import open_api
from tests.support.fault_table import Recovery
from tests.support.history import Observed, observe, violations

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(580)]

RATE = 150.0
UNDER_LOAD_S = 6.0


@asynccontextmanager
async def senders(drill: Drill, ledger: Ledger, name: str) -> AsyncIterator[Watch]:
    """Send to whichever region is active while the context lasts."""
    async with open_api(f"http://127.0.0.1:{drill.port}") as nobody:
        admin = nobody.by(await nobody.log_in(USER))
        load = Load(admin, ledger, Pace(RATE), name, Random(name))  # noqa: S311  # repeatable
        async with sending(load) as watch:
            await recovered(watch, time.monotonic())
            yield watch


async def recovered(watch: Watch, since: float) -> float:
    at = await watch.recovered(since)
    assert at is not None, "not recovered"
    return at - since


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


async def observed_in(region: Region) -> Observed:
    async with region.database() as database:
        return await observe(region.kafka, database, published=True)


def missing(ledger: Ledger, observed: Observed) -> int:
    """Return the number of acknowledged events that the log has not, repetitions included."""
    records = Counter(str(record.command.event_id) for record in observed.log if record.command is not None)
    return sum(max(0, sent.times - records[str(sent.event_id)]) for sent in ledger.sent())


@pytest.mark.fault(Row.REGION_LOST)
async def test_a_lost_region_its_disks_and_the_way_back(tmp_path: Path, recovery: Recovery) -> None:
    ledger = Ledger()
    async with drilling(tmp_path) as drill:
        a, b = drill.region("a"), drill.region("b")
        recovery.took(await lose_the_active_region(drill, a, b, ledger))
        await disks_return(drill, a, b, ledger)
        await return_to_the_first(drill, a, b, ledger)


async def lose_the_active_region(drill: Drill, a: Region, b: Region, ledger: Ledger) -> float:
    """Lose A under load and take B up; return how long no event was applied."""
    await drill.start(a)
    await drill.start(b, stores_only=True)
    await drill.run(b, "prepare")
    mirror = await drill.mirror(a, b)
    processor = await drill.begin(b, "processor")
    async with senders(drill, ledger, "lost") as watch:
        await mirrored(a, b)
        await asyncio.sleep(UNDER_LOAD_S)
        await drill.end(mirror, signal.SIGKILL)
        mirror = await drill.mirror(a, b)
        await mirrored(a, b)
        await asyncio.sleep(UNDER_LOAD_S)
        lost_at = time.monotonic()
        await drill.lose(a)
        await drill.end(mirror)
        copied = (await keys(b)).total()
        await applied(b)
        await drill.end(processor)
        await drill.stop(b)
        await drill.start(b)
        took_s = await recovered(watch, lost_at)
        await asyncio.sleep(UNDER_LOAD_S)
    await applied(b)
    observed = await observed_in(b)
    say(f"A lost: {copied} records mirrored, {missing(ledger, observed)} acknowledged events are not in B")
    assert violations(observed) == []
    return took_s


async def disks_return(drill: Drill, a: Region, b: Region, ledger: Ledger) -> None:
    """Let the mirror finish: every acknowledged event is in B then, each record of A once."""
    await drill.start(a, stores_only=True)
    mirror = await drill.mirror(a, b)
    await mirrored(a, b)
    await drill.end(mirror)
    await applied(b)
    observed = await observed_in(b)
    say(f"A's disks returned: {missing(ledger, observed)} acknowledged events are not in B")
    assert [*ledger.faults, *violations(observed, ledger.sent())] == []
    of_a, of_b = await keys(a), await keys(b)
    assert {record: of_b[record] for record in of_a} == of_a
    await drill.stop(a)


async def return_to_the_first(drill: Drill, a: Region, b: Region, ledger: Ledger) -> None:
    """Make A the passive region under load, then the active one: the three logs together have everything."""
    async with senders(drill, ledger, "back") as watch:
        paused_at = time.monotonic()
        first = await new_log(drill, b, drill.root / "backups")
        say(f"new log: accepted again after {await recovered(watch, paused_at):.1f} s")
        mirror, processor = await follow(drill, a, b)
        await asyncio.sleep(UNDER_LOAD_S)
        paused_at = time.monotonic()
        await drill.stop(b)
        await drill.start(b, stores_only=True)
        await mirrored(b, a)
        await drill.end(mirror)
        await applied(a)
        second = await observed_in(a)
        await drill.end(processor)
        await drill.stop(a)
        a.prefix = "r3."
        await drill.start(a)
        say(f"planned switch: accepted again after {await recovered(watch, paused_at):.1f} s")
        await asyncio.sleep(UNDER_LOAD_S)
    await applied(a)
    last = await observed_in(a)
    whole = replace(last, log=[*first.log, *second.log, *last.log], published=None)
    assert [*ledger.faults, *violations(whole, ledger.sent())] == []


async def follow(drill: Drill, a: Region, b: Region) -> tuple[Process, Process]:
    """Empty A and let it follow B: from B's backup, and from the beginning of the new log."""
    shutil.rmtree(a.home)
    a.prefix = b.prefix
    await drill.start(a, stores_only=True)
    await drill.run(a, "restore", BACKUPS=str(drill.root / "backups"))
    mirror, processor = await drill.mirror(b, a), await drill.begin(a, "processor")
    await mirrored(b, a)
    return mirror, processor


async def new_log(drill: Drill, b: Region, backups: Path) -> Observed:
    """Stop accepting in B, apply all, make a backup, and begin a new log; return all that was before."""
    await drill.stop(b)
    await drill.start(b, stores_only=True)
    processor = await drill.begin(b, "processor")
    await applied(b)
    await drill.end(processor)
    before = await observed_in(b)
    await drill.run(b, "backup", BACKUPS=str(backups))
    b.prefix = "r2."
    await drill.stop(b)
    await drill.start(b)
    return before
