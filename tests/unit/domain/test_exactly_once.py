"""However a log is cut into batches, and whatever strikes between them: the same ending."""

from copy import deepcopy
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.shipments.commands import Command
from tests.support.builders import payload_fingerprint
from tests.support.fakes import Documents, InMemoryShipmentStore
from tests.support.history import Logged, Model
from tests.support.machine.commands import SOME
from tests.unit.domain.batch_runner import BatchRunner, Mishap, Step

logs = st.lists(SOME, max_size=12).map(lambda parts: [command for part in parts for command in part])
steps = st.lists(st.builds(Step, st.integers(1, 8), st.sampled_from(Mishap), st.integers(0, 12)), max_size=10)


JUDGED = ("outcome", "reason", "version", "attempts", "duplicates", "conflicts", "offset", "held_until")


def one_at_a_time(log: list[Command]) -> Model:
    """Apply the log the simplest way there is."""
    model = Model()
    for offset, command in enumerate(log):
        model.take(Logged((0, offset), command, payload_fingerprint(command)), None)
    return model


async def run(log: list[Command], script: list[Step]) -> Documents:
    runner = BatchRunner(log)
    await runner.run(script)
    return runner.store.documents


@given(logs)
async def test_one_batch_equals_one_command_at_a_time(log: list[Command]) -> None:
    model = one_at_a_time(log)
    documents = await run(log, [])
    loaded = await InMemoryShipmentStore(documents).load(model.shipments)
    assert {each: replace(shipment, held=()) for each, shipment in loaded.items()} == model.shipments
    assert {each: [held.offset for held in shipment.held] for each, shipment in loaded.items()} == {
        each: [held.offset for held in model.waiting.get(each, [])] for each in loaded
    }
    assert documents.shipments.keys() == model.shipments.keys()
    assert {each: [event.get(name) for name in JUDGED] for each, event in documents.events.items()} == {
        each: [getattr(event, name) for name in JUDGED] for each, event in model.events.items()
    }


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
