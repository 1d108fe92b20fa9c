"""CPU time of the steps of an event's way, without servers: the code itself, no drivers and no sockets.

    make bench BENCH=steps

The events are those of the other benchmarks: reports of statuses with a location, all of them new. Prints the
minimum of several rounds, in µs an event; compare two versions in turn on one machine.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import bson
from bench.load import Load, commands_of, creation, make_load

from domain.access.permissions import Principal, Role
from domain.processing.batch import ConsumedCommand, EventRecord, Plan, by_shipment
from domain.processing.judging import judge
from domain.shipments.commands import Command
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from httpkit.request.bodies import parse_json, parse_tree
from ingest_api.schemas.events import EVENT, EVENTS, EventIn, command_of
from messaging import codec
from messaging.change_codec import encode_change
from storage.mongo import documents, shipment_documents

ROUNDS: Final = 15
BATCH: Final = 1_000
CALLER: Final = Principal("driver_user_001", Role.PRODUCER)

Shipments = dict[TrackingNumber, Shipment]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The input of the steps: each is the output of an earlier one."""

    load: Load
    trees: Sequence[Sequence[object]]
    events: Sequence[EventIn]
    commands: Sequence[Command]
    creations: Sequence[Command]
    values: Sequence[bytes]
    batches: Sequence[Sequence[ConsumedCommand]]
    shipments: Shipments
    plans: Sequence[Plan]
    singles: Sequence[bytes]


def prepare() -> Prepared:
    """Run every step once."""
    load = make_load(events=4_000, batch=500, seed=3)
    trees = [parse_tree(body)["events"] for body in load.bodies]
    commands: list[Command] = list(commands_of(load))
    creations = [creation(number) for number in load.numbers]
    values = [codec.encode(each) for each in commands]
    batches = consumed(values)
    shipments: Shipments = {}
    judged(consumed([codec.encode(each) for each in creations]), shipments)
    return Prepared(
        load=load,
        trees=trees,
        events=[event for tree in trees for event in EVENTS.validate_python(tree)],
        commands=commands,
        creations=creations,
        values=values,
        batches=batches,
        shipments=shipments,
        plans=judged(batches, dict(shipments)),
        singles=[codec.to_json(event) for tree in trees for event in tree],
    )


def consumed(values: Sequence[bytes]) -> list[list[ConsumedCommand]]:
    """Decode records, in batches."""
    read = [codec.decode(value) for value in values]
    return [
        [
            ConsumedCommand(command=each.command, offset=offset, fingerprint=each.fingerprint)
            for offset, each in enumerate(read[at : at + BATCH])
        ]
        for at in range(0, len(read), BATCH)
    ]


def judged(batches: Sequence[Sequence[ConsumedCommand]], shipments: Shipments) -> list[Plan]:
    """Judge batches of new events, and let the shipments follow."""
    plans = []
    for batch in batches:
        plan = Plan(len(batch))
        for number, group in by_shipment(batch).items():
            known = dict.fromkeys(each.command.event_id for each in group)
            verdicts = judge(group, shipments.get(number), known)
            plan.add(number, verdicts)
            if verdicts.shipment is not None:
                shipments[number] = verdicts.shipment.after
        plans.append(plan)
    return plans


def written(plan: Plan) -> list[dict[str, Any]]:
    """Return the documents and updates of a plan."""
    now = datetime.now(UTC)
    new = [
        documents.event_document(each, partition=3, recorded_at=now) for each in plan.events if each.is_new
    ]
    changed = [shipment_documents.shipment_update(each, recorded_at=now) for each in plan.shipments.values()]
    return new + changed


def published(plan: Plan) -> list[tuple[Command, EventRecord]]:
    """Return the applied commands of a plan, with their records."""
    return [(each.consumed.command, each.event) for each in plan.verdicts if each.event and each.is_published]


def steps(given: Prepared) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """Yield the steps: a name, the number of events, and what to measure."""
    count = len(given.commands)
    writes = [each for plan in given.plans for each in written(plan)]
    applied = [each for plan in given.plans for each in published(plan)]
    received_at = datetime.now(UTC)
    yield "batch: parse", count, lambda: [parse_tree(body) for body in given.load.bodies]
    yield "batch: validate", count, lambda: [EVENTS.validate_python(tree) for tree in given.trees]
    yield "single: parse and validate", count, lambda: [parse_json(body, EVENT) for body in given.singles]
    yield (
        "command of an event",
        count,
        lambda: [command_of(each, CALLER, received_at) for each in given.events],
    )
    yield "encode a report", count, lambda: [codec.encode(each) for each in given.commands]
    yield (
        "encode a creation",
        len(given.creations),
        lambda: [codec.encode(each) for each in given.creations],
    )
    yield "decode a report", count, lambda: [codec.decode(value) for value in given.values]
    yield "judge", count, lambda: judged(given.batches, dict(given.shipments))
    yield "documents", count, lambda: [written(plan) for plan in given.plans]
    yield "BSON", count, lambda: [bson.encode(each) for each in writes]
    yield "message of a change", len(applied), lambda: [encode_change(*each) for each in applied]


def main() -> None:
    """Run the benchmark."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as `servicekit.process` does
    for name, count, step in steps(prepare()):
        best = min(_took_s(step) for _ in range(ROUNDS))
        print(f"{name:28} {best / count * 1e6:6.2f} µs")


def _took_s(step: Callable[[], object]) -> float:
    started = time.process_time()
    step()
    return time.process_time() - started


if __name__ == "__main__":
    main()
