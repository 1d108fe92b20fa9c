"""Dead letters cleared from the command line, through the gateway; every action is recorded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from domain.processing.dead_letter import dead_letter_id
from domain.shipments.commands import Command
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from processor.use_cases.dead_lettering import entry_of
from storage.mongo.database import open_database
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.settings import MongoSettings
from tests.e2e.traffic import shipment_body
from tests.faults.matrix import Row
from tests.support.api import PASSWORD, Api, Json, eventually
from tests.support.builders import NOON, consumed, report
from tests.support.producing import producer_on
from tests.support.records import record_of
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120), pytest.mark.fault(Row.POISON)]

Ops = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ops(stack: StackAddresses) -> Ops:
    """Give the command line, in a process of its own, as admin_user."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        who = {"WAYBILL_USER": "admin_user", "WAYBILL_PASSWORD": PASSWORD, "no_proxy": "127.0.0.1,localhost"}
        return subprocess.run(
            [sys.executable, "-m", "waybill.cli", "ops", *arguments],
            env=os.environ | {"WAYBILL_URL": stack.gateway_url} | who | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """Dead letters of one shipment, in log order."""

    number: TrackingNumber
    ids: Sequence[str]
    commands: Sequence[Command]


@pytest.fixture
async def three_dead_letters(stack: StackAddresses, admin: Api) -> DeadLettered:
    """Give a shipment whose first three events were dead-lettered by a fixed bug, the last of them first."""
    number = TrackingNumber(await admin.created(shipment_body()))
    steps = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT)
    commands = [report(status, number) for status in steps]
    settings = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    ids: list[str] = []
    async with (
        producer_on(settings) as producer,
        open_database(MongoSettings(MONGO_URI=stack.mongo_uri)) as database,  # type: ignore[call-arg]
    ):
        dead_letters, index = KafkaDeadLetters(producer, Topics()), MongoDeadLetterIndex(database)
        for offset, command in reversed(list(enumerate(commands, 10**9))):
            dead_letter = DeadLetter(record_of(command, offset), "unprocessable", "ValueError: a bug", 5)
            place = await dead_letters.publish(dead_letter)
            await index.record(entry_of(dead_letter, place, consumed(command, offset), recorded_at=NOON))
            ids.insert(0, dead_letter_id(place))
    return DeadLettered(number, ids, commands)


async def state_of(admin: Api, dead_letter: str) -> Json:
    found: Json = (await admin.get(f"/dead-letters/{dead_letter}")).body
    return found


async def actions(admin: Api, dead_letter: str) -> list[tuple[str, str, str | None]]:
    """Return the actions on a dead letter, newest first."""
    response = await admin.get(f"/operator-actions?target={dead_letter}")
    return [(each["action"], each["by"], each["reason"]) for each in response.body["data"]]


async def replayed(admin: Api, dead_letters: Sequence[str], times: int) -> list[Json]:
    """Wait until the processor has recorded each replay."""

    async def noted() -> list[Json] | None:
        found = [await state_of(admin, each) for each in dead_letters]
        return found if all(each["replays"] >= times for each in found) else None

    return await eventually(noted, within_s=20)


async def test_dead_letters_are_replayed_by_filter_in_order_and_once(
    admin: Api, ops: Ops, three_dead_letters: DeadLettered
) -> None:
    chosen = ("--tracking-number", three_dead_letters.number)
    listed = json.loads(ops("dead-letters", "list", *chosen, "--state", "open", "--json").stdout)
    assert {each["id"] for each in listed} == set(three_dead_letters.ids)
    tried = ops("dead-letters", "replay", *chosen, "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "3 would be replayed\n")

    first = ops("dead-letters", "replay", *chosen, "--yes", "--json")
    assert (first.returncode, json.loads(first.stdout)["queued"]) == (0, list(three_dead_letters.ids)), (
        first.stderr
    )
    found = await replayed(admin, three_dead_letters.ids, 1)
    assert [(each["state"], each["last_replay"]["by"]) for each in found] == [("replayed", "admin_user")] * 3
    shipment = await admin.shipment(three_dead_letters.number)
    assert [line["status"] for line in shipment["status_history"]] == [
        *("created", "picked_up", "in_warehouse", "in_transit"),
    ]

    second = ops("dead-letters", "replay", *chosen, "--yes", "--json")
    assert (second.returncode, json.loads(second.stdout)) == (0, []), "nothing of it is open any more"
    forced = ops("dead-letters", "replay", three_dead_letters.ids[0], "--yes")
    assert (forced.returncode, forced.stderr) == (0, "1 are in the log again\n")
    await replayed(admin, three_dead_letters.ids[:1], 2)
    assert await admin.shipment(three_dead_letters.number) == shipment
    for dead_letter, times in zip(three_dead_letters.ids, (2, 1, 1), strict=True):
        assert await actions(admin, dead_letter) == [("dead_letter.replayed", "admin_user", None)] * times
    shown = json.loads(ops("dead-letters", "show", three_dead_letters.ids[0], "--json").stdout)
    assert (shown["event"]["outcome"], shown["event"]["duplicates"]) == ("applied", 1)
    assert [each["action"] for each in shown["history"]] == ["dead_letter.replayed"] * 2


async def test_a_discarded_dead_letter_is_replayed_only_by_force(
    admin: Api, ops: Ops, three_dead_letters: DeadLettered
) -> None:
    dead_letter, other = three_dead_letters.ids[:2]
    done = ops("dead-letters", "discard", dead_letter, "--reason", "a self-test")
    assert done.returncode == 0, done.stderr
    assert ops("dead-letters", "discard", dead_letter, "--reason", "a self-test").returncode == 0
    another = ops("dead-letters", "discard", dead_letter, "--reason", "another")
    assert (another.returncode, another.stderr) == (
        1,
        "error: admin_user has discarded it: a self-test (DEAD_LETTER_DISCARDED)\n",
    )
    assert await actions(admin, dead_letter) == [("dead_letter.discarded", "admin_user", "a self-test")]

    refused = ops("dead-letters", "replay", dead_letter, other, "--yes")
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)
    assert [(await state_of(admin, each))["replays"] for each in (dead_letter, other)] == [0, 0]
    assert ops("dead-letters", "replay", dead_letter, "--yes", "--force").returncode == 0
    [back] = await replayed(admin, [dead_letter], 1)
    assert (back["state"], back["discard"]["reason"]) == ("replayed", "a self-test")
    listed = json.loads(ops("actions", "list", "--target", dead_letter, "--json").stdout)
    assert [each["action"] for each in listed] == ["dead_letter.replayed", "dead_letter.discarded"]


async def test_an_unreadable_replay_is_dead_lettered_again_and_names_its_origin(
    stack: StackAddresses, admin: Api, ops: Ops
) -> None:
    dead_letter = await unreadable(stack, admin)
    assert ops("dead-letters", "replay", dead_letter["id"], "--yes").returncode == 0
    await replayed(admin, [dead_letter["id"]], 1)

    async def died_again() -> Json | None:
        for each in (await admin.get("/dead-letters?state=open&reason=unreadable")).body["data"]:
            if each["replay_of"] == dead_letter["id"]:
                return dict(each)
        return None

    again = await eventually(died_again, within_s=20)
    assert again["value_preview"] == dead_letter["value_preview"]
    assert {"name": "replayed-by", "value": "admin_user"} in again["headers"]
    discarded = ops("dead-letters", "discard", again["id"], "--reason", "noise", "--json")
    assert json.loads(discarded.stdout)[0]["state"] == "discarded", discarded.stderr


async def test_an_api_key_is_accepted_and_a_producer_is_not(admin: Api, ops: Ops) -> None:
    for role, code in (("admin", 0), ("producer", 1)):
        name = f"operator_{uuid4().hex[:8]}"
        user = {"username": name, "password": "blue-truck-seven", "role": role}
        assert (await admin.post("/auth/users", user)).status == 201
        key: Mapping[str, Any] = (await admin.post(f"/auth/users/{name}/api-keys", None)).body
        ended = ops("dead-letters", "list", "--json", WAYBILL_API_KEY=key["api_key"])
        assert ended.returncode == code, ended.stderr
        assert ("error: " in ended.stderr) == (code != 0), ended.stderr


async def unreadable(stack: StackAddresses, admin: Api) -> Json:
    """Append a record that nobody can decode, and return its dead letter."""
    value = f"no event: {uuid4().hex}"
    settings = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    async with producer_on(settings) as producer:
        await producer.append(Topics().events, [OutgoingRecord(b"99M-GMPWC6W7SP2G", value.encode(), [])])

    async def dead_lettered() -> Json | None:
        for each in (await admin.get("/dead-letters?state=open&reason=unreadable")).body["data"]:
            if each["value_preview"] == value:
                return dict(each)
        return None

    return await eventually(dead_lettered, within_s=20)
