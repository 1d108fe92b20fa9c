"""However a log is cut into batches, and whatever strikes between them: the same ending."""

from copy import deepcopy
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Rejected, Repeated, Shipment, decide, evolve
from domain.shipments.tracking_number import TrackingNumber
from tests.support.builders import payload_fingerprint
from tests.support.fakes import Documents, InMemoryShipmentStore
from tests.support.machine.commands import SOME
from tests.unit.domain.batch_runner import BatchRunner, Mishap, Step

logs = st.lists(SOME, max_size=12).map(lambda parts: [command for part in parts for command in part])
steps = st.lists(st.builds(Step, st.integers(1, 8), st.sampled_from(Mishap), st.integers(0, 12)), max_size=10)


@dataclass
class Ending:
    """The outcome of an event, computed without batches, look-ups or filters."""

    fingerprint: str
    outcome: str = "rejected"
    reason: str | None = None
    attempts: int = 0
    duplicates: int = 0
    conflicts: int = 0


def one_at_a_time(log: list[Command]) -> tuple[dict[TrackingNumber, Shipment], dict[EventId, Ending]]:
    """Apply the log the simplest way there is."""
    shipments: dict[TrackingNumber, Shipment] = {}
    endings: dict[EventId, Ending] = {}
    for command in log:
        said = payload_fingerprint(command)
        ending = endings.setdefault(command.event_id, Ending(said))
        if ending.outcome == "applied":
            ending.duplicates += ending.fingerprint == said
            ending.conflicts += ending.fingerprint != said
            continue
        ending.fingerprint = said
        shipment = shipments.get(command.tracking_number)
        decision = decide(shipment, command)
        ending.attempts += 1
        ending.reason = decision.reason if isinstance(decision, Rejected) else None
        if not isinstance(decision, Rejected | Repeated):
            ending.outcome = "applied"
            shipments[command.tracking_number] = evolve(shipment, decision)
    return shipments, endings


async def run(log: list[Command], script: list[Step]) -> Documents:
    runner = BatchRunner(log)
    await runner.run(script)
    return runner.store.documents


@given(logs)
async def test_one_batch_equals_one_command_at_a_time(log: list[Command]) -> None:
    shipments, endings = one_at_a_time(log)
    documents = await run(log, [])
    assert await InMemoryShipmentStore(documents).load(shipments) == shipments
    assert documents.shipments.keys() == shipments.keys()
    assert {
        each: Ending(**{name: event[name] for name in vars(endings[each])})
        for each, event in documents.events.items()
    } == endings


@given(logs, steps)
async def test_any_batches_with_any_mishaps_equal_one_batch(log: list[Command], script: list[Step]) -> None:
    whole, struck = await run(log, []), await run(log, script)
    assert struck.shipments == whole.shipments
    assert struck.events == whole.events


@given(logs, steps, steps)
async def test_a_log_that_is_read_again_from_its_start_changes_nothing(
    log: list[Command], script: list[Step], again: list[Step]
) -> None:
    runner = BatchRunner(log)
    await runner.run(script)
    before = deepcopy(runner.store.documents)
    runner.position = 0
    await runner.run(again)
    assert runner.store.documents.shipments == before.shipments
    assert runner.store.documents.events == before.events
