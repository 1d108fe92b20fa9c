"""One run: load, faults by the schedule of a seed, healing, draining, and the verdict."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from messaging.topics import Topics
from tests.faults.ledger import Ledger
from tests.faults.load import Load, Pace
from tests.faults.nemesis import Nemesis
from tests.faults.proxied_stack import GROUP, ProxiedStack, open_proxied_stack
from tests.faults.schedule import SINGLE_SERVERS, Shape, Step, draw
from tests.faults.watch import RECOVERED_WITHIN_S, Watch, sending
from tests.faults.webhooks import subscribed
from tests.support.api import Api, open_api
from tests.support.history import Observed, observe, violations
from tests.support.topics import is_caught_up
from tests.support.waiting import wait_for

DRAINED_WITHIN_S: Final = 180.0
SAMPLE: Final = 200
_Summary = tuple[str, int, list[str], list[str]]
"""Status, version, and the ids in the history: those of statuses, and those of checkpoints."""


@dataclass(slots=True)
class Report:
    """Result of a run."""

    seed: int
    minutes: float
    acknowledged: int = 0
    records: int = 0
    shipments: int = 0
    dead_letters: int = 0
    corrections: dict[str, int] = field(default_factory=dict)
    webhooks: int = 0
    responses: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    worst_recovery_s: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @property
    def fault_count(self) -> int:
        """Number of injected faults."""
        return sum(self.faults.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


async def run_schedule(
    root: Path, *, seed: int, minutes: float, rate: float, shape: Shape = SINGLE_SERVERS
) -> Report:
    """Break a stack in `root` for so long, and report which of its guarantees were broken."""
    report = Report(seed, minutes)
    ledger = Ledger()
    async with (
        open_proxied_stack(root, shape) as system,
        _admin(system) as admin,
        subscribed(admin, Random(seed)) as webhooks,  # noqa: S311  # repeatable
    ):
        load = Load(admin, ledger, Pace(rate), f"run-{seed}", Random(seed))  # noqa: S311  # repeatable
        async with sending(load) as watch:
            await _break(system, watch, report, shape)
        await _drain(system)
        observed = await observe(system.kafka, system.database, published=True)
        await _judge(admin, observed, ledger, report)
        report.webhooks = await webhooks.received(observed)
        report.violations += webhooks.violations(observed)
    return report


async def _break(system: ProxiedStack, watch: Watch, report: Report, shape: Shape) -> None:
    """Inject step after step, each once the stack has recovered from the one before."""
    nemesis = Nemesis(system)
    recoveries: defaultdict[str, list[float]] = defaultdict(list)
    until = time.monotonic() + report.minutes * 60
    for step in draw(report.seed, shape):
        await asyncio.sleep(step.calm_s)
        if time.monotonic() >= until:
            break
        ended_at = time.monotonic()
        await asyncio.gather(*(nemesis.strike(fault) for fault in step.faults))
        healed_at = time.monotonic()
        if any(fault.lasts_s for fault in step.faults):
            ended_at = healed_at
        recovered_at = await watch.recovered(healed_at)
        for fault in step.faults:
            report.faults[str(fault)] = report.faults.get(str(fault), 0) + 1
        if recovered_at is None:
            report.violations.append(f"{_named(step)}: not recovered after {RECOVERED_WITHIN_S:.0f} s")
            system.heal()
        else:
            recoveries[_named(step)].append(recovered_at - ended_at)
    report.worst_recovery_s = {name: round(max(seconds), 1) for name, seconds in sorted(recoveries.items())}


def _named(step: Step) -> str:
    return " and ".join(sorted(str(fault) for fault in step.faults))


async def _drain(system: ProxiedStack) -> None:
    system.heal()
    topic = Topics().events
    await wait_for(
        lambda: is_caught_up(system.kafka, GROUP, topic),
        timeout_s=DRAINED_WITHIN_S,
        what="the end of the log",
    )


async def _judge(admin: Api, observed: Observed, ledger: Ledger, report: Report) -> None:
    report.acknowledged = ledger.acknowledged
    report.records, report.shipments = len(observed.log), len(observed.shipments)
    report.dead_letters = len(observed.dead_letters)
    report.corrections = _corrections(observed)
    report.responses = {
        f"{what} {response}": number for (what, response), number in sorted(ledger.calls.items())
    }
    report.violations += ledger.faults
    report.violations += violations(observed, ledger.sent())
    report.violations += await _wrong_in_the_api(admin, observed, Random(report.seed))  # noqa: S311  # a sample


def _corrections(observed: Observed) -> dict[str, int]:
    """Count the events of each kind that a shipment's plain way has none of."""
    events = observed.events.values()
    return {
        "still held": sum(event.get("held_until") is not None for event in events),
        "released": sum(event.get("released_by") is not None for event in events),
        "retracted": sum(event["reason"] == "RETRACTED" for event in events),
        "not retracted": sum(event["reason"] == "NOT_THE_LATEST" for event in events),
        "checkpoints": sum(event.get("checkpoint") is not None for event in events),
    }


async def _wrong_in_the_api(admin: Api, observed: Observed, chance: Random) -> list[str]:
    """Compare a sample of the API's responses with MongoDB."""
    found = []
    for number in chance.sample(sorted(observed.shipments), min(SAMPLE, len(observed.shipments))):
        shown, stored = _shown(await admin.shipment(number)), _stored(observed.shipments[number])
        if shown != stored:
            found.append(f"{number}: the API shows {shown}, not {stored}")
    for event_id in chance.sample(sorted(observed.events), min(SAMPLE, len(observed.events))):
        event, record = await admin.event(event_id), observed.events[event_id]
        if event is None or any(event[name] != record[name] for name in ("outcome", "reason", "duplicates")):
            found.append(f"{event_id}: the API shows {event}, not {dict(record)}")
    return found


def _shown(shipment: Mapping[str, Any]) -> _Summary:
    history = shipment["status_history"]
    passed = [entry["event_id"] for entry in history if "checkpoint" in entry]
    statuses = [entry["event_id"] for entry in history if "checkpoint" not in entry]
    return shipment["current_status"], shipment["version"], statuses, passed


def _stored(shipment: Mapping[str, Any]) -> _Summary:
    statuses = [entry["event_id"] for entry in shipment["status_history"]]
    passed = [entry["event_id"] for entry in shipment.get("checkpoints", []) if entry is not None]
    return shipment["current_status"], shipment["version"], statuses, passed


@asynccontextmanager
async def _admin(system: ProxiedStack) -> AsyncIterator[Api]:
    async with open_api(system.stack.gateway_url) as nobody:
        yield nobody.by(await nobody.log_in("admin_user"))
