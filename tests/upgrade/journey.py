"""A rolling release under load, there and back: from the last release to the present one, replica by replica.

The load never stops. One folder holds the data from the beginning to the end; what was acknowledged by any
release is counted in one ledger, and judged in the end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from messaging.topics import Topics
from storage.mongo.database import open_database
from tests.faults.ledger import Ledger
from tests.faults.load import USER, Load, Pace
from tests.faults.proxied_stack import GROUP
from tests.faults.watch import RECOVERED_WITHIN_S, Watch, sending
from tests.faults.webhooks import Subscriptions, subscribed
from tests.support.api import Api, open_api
from tests.support.history import Observed, observe, violations
from tests.support.topics import is_caught_up
from tests.support.waiting import wait_for
from tests.upgrade.issued import Issued
from tests.upgrade.release import PRESENT, Release
from tests.upgrade.rolling_stack import READERS_FIRST, RollingStack, Seat, rolling_stack

DRAINED_WITHIN_S: Final = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """Shape of a journey.

    Attributes:
        rate: events per second.
        calm_s: how long two releases run together after each replacement.
        seed: of the order of a second upgrade; None without one.
    """

    rate: float
    calm_s: float
    seed: int | None = None


@dataclass(slots=True)
class Report:
    """Result of a journey.

    Attributes:
        recoveries_s: from the end of each step until shipments were registered and read again.
        responses: how often each call got which, while replicas were replaced.
    """

    recoveries_s: dict[str, float] = field(default_factory=dict)
    responses: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    records: int = 0
    shipments: int = 0
    webhooks: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def worst_s(self) -> float:
        """The longest recovery."""
        return max(self.recoveries_s.values())


@dataclass(slots=True)
class Journey:
    """One journey, as far as it has come."""

    stack: RollingStack
    itinerary: Itinerary
    watch: Watch
    issued: Issued
    report: Report

    async def go(self) -> None:
        """Upgrade, roll back, hand the folder back, and upgrade again if there is a seed for its order."""
        await self._step("taken up with the services of the last release", self.stack.take_up())
        self.watch.ledger.calls.clear()  # while replicas are replaced, others answer
        await self._step("topics and schema of this release", self.stack.prepare_stores(PRESENT))
        await self._replace_all(READERS_FIRST, PRESENT, "to this release")
        await self._replace_all(READERS_FIRST[::-1], self.stack.last, "back to the last release")
        self.report.responses = _named(self.watch.ledger)
        await self._step("handed back to the last release as a whole", self.stack.hand_back())
        if self.itinerary.seed is not None:
            await self._step("taken up again", self.stack.take_up())
            order = Random(self.itinerary.seed).sample(READERS_FIRST, k=len(READERS_FIRST))  # noqa: S311
            await self._replace_all(order, PRESENT, "to this release, in any order")

    async def _replace_all(self, seats: Sequence[Seat], release: Release, where: str) -> None:
        for seat in seats:
            await self._step(f"{seat} {where}", self.stack.replace(seat, release))

    async def _step(self, name: str, work: Awaitable[None]) -> None:
        await work
        ended_at = time.monotonic()
        recovered_at = await self.watch.recovered(ended_at)
        if recovered_at is None:
            self.report.violations.append(f"{name}: not recovered after {RECOVERED_WITHIN_S:.0f} s")
        else:
            self.report.recoveries_s[name] = recovered_at - ended_at
        self.report.violations += [f"{name}: {fault}" for fault in await self.issued.violations()]
        await asyncio.sleep(self.itinerary.calm_s)


async def travel(home: Path, last: Release, itinerary: Itinerary) -> Report:
    """Take data of the last release in `home` on a journey, and report which guarantees were broken."""
    report, ledger = Report(), Ledger()
    async with rolling_stack(home, last) as stack:
        await stack.start_last()
        async with _admin(stack) as admin, subscribed(admin, Random(0)) as webhooks:  # noqa: S311  # repeatable
            load = Load(admin, ledger, Pace(itinerary.rate), "journey", Random(0))  # noqa: S311  # as above
            issued = await Issued.by(admin, ledger)
            async with sending(load) as watch:
                await asyncio.sleep(itinerary.calm_s)
                await Journey(stack, itinerary, watch, issued, report).go()
            await _judge(stack, ledger, webhooks, report)
    return report


def _named(ledger: Ledger) -> dict[str, int]:
    return {f"{what} {response}": number for (what, response), number in sorted(ledger.calls.items())}


@asynccontextmanager
async def _admin(stack: RollingStack) -> AsyncIterator[Api]:
    """Give an admin with one token for the whole journey."""
    async with open_api(stack.url) as nobody:
        yield nobody.by(await nobody.log_in(USER))


async def _judge(stack: RollingStack, ledger: Ledger, webhooks: Subscriptions, report: Report) -> None:
    observed = await _observed(stack)
    report.acknowledged = ledger.acknowledged
    report.records, report.shipments = len(observed.log), len(observed.shipments)
    report.violations += ledger.faults
    report.violations += violations(observed, ledger.sent())
    code, said = await stack.operate(PRESENT, "rebuild", "check", "--from", "both")
    if code != 0:
        report.violations.append(f"rebuild check: {said}")
    report.webhooks = await webhooks.received(observed)
    report.violations += webhooks.violations(observed)


async def _observed(stack: RollingStack) -> Observed:
    await wait_for(
        lambda: is_caught_up(stack.kafka, GROUP, Topics().events),
        timeout_s=DRAINED_WITHIN_S,
        what="the end of the log",
    )
    async with open_database(stack.mongo) as database:
        return await observe(stack.kafka, database, published=True)
