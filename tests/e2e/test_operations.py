"""An operator clears dead letters away from the command line, through the gateway; all is on record."""

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
from messaging.producer.idempotent_producer import OutgoingRecord
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from processor.use_cases.dead_lettering import entry_of
from storage.mongo.database import open_database
from storage.mongo.operations.dead_letter_index import MongoDeadLetterIndex
from storage.settings import MongoSettings
from tests.e2e.traffic import shipment_body
from tests.faults.matrix import Row
from tests.support.api import PASSWORD, Api, Json, eventually
from tests.support.builders import NOON, delivery, report
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
            [sys.executable, "-m", "operations", *arguments],
            env=os.environ | {"WAYBILL_URL": stack.gateway_url} | who | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@dataclass(frozen=True, slots=True)
class Grave:
    """Dead letters of one shipment, in the order in which they stood in the log."""

    number: TrackingNumber
    ids: Sequence[str]
    commands: Sequence[Command]


@pytest.fixture
async def grave(stack: StackAddresses, admin: Api) -> Grave:
    """Give a shipment whose first three events have died of a bug that is gone, the last of them first."""
    number = TrackingNumber(await admin.created(shipment_body()))
    steps = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT)
    commands = [report(status, number) for status in steps]
    settings = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    ids: list[str] = []
    async with (
        producer_on(settings) as producer,
        open_database(MongoSettings(MONGO_URI=stack.mongo_uri)) as database,  # type: ignore[call-arg]
    ):
        letters, index = KafkaDeadLetters(producer, Topics()), MongoDeadLetterIndex(database)
        for offset, command in reversed(list(enumerate(commands, 10**9))):
            letter = DeadLetter(record_of(command, offset), "unprocessable", "ValueError: a bug", 5)
            place = await letters.publish(letter)
            await index.record(entry_of(letter, place, delivery(command, offset), recorded_at=NOON))
            ids.insert(0, dead_letter_id(place))
    return Grave(number, ids, commands)


async def state_of(admin: Api, letter: str) -> Json:
    found: Json = (await admin.get(f"/dead-letters/{letter}")).body
    return found


async def deeds(admin: Api, letter: str) -> list[tuple[str, str, str | None]]:
    """Return what was done to a dead letter, newest first."""
    answer = await admin.get(f"/operator-actions?target={letter}")
    return [(each["action"], each["by"], each["reason"]) for each in answer.body["data"]]


async def replayed(admin: Api, letters: Sequence[str], times: int) -> list[Json]:
    """Wait until the processor has noted each replay."""

    async def noted() -> list[Json] | None:
        found = [await state_of(admin, each) for each in letters]
        return found if all(each["replays"] >= times for each in found) else None

    return await eventually(noted, within_s=20)


async def test_dead_letters_are_replayed_by_filter_in_order_and_once(
    admin: Api, ops: Ops, grave: Grave
) -> None:
    chosen = ("--tracking-number", grave.number)
    listed = json.loads(ops("dead-letters", "list", *chosen, "--state", "open", "--json").stdout)
    assert {each["id"] for each in listed} == set(grave.ids)
    tried = ops("dead-letters", "replay", *chosen, "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "3 would be sent again\n")

    first = ops("dead-letters", "replay", *chosen, "--yes", "--json")
    assert (first.returncode, json.loads(first.stdout)["queued"]) == (0, list(grave.ids)), first.stderr
    found = await replayed(admin, grave.ids, 1)
    assert [(each["state"], each["last_replay"]["by"]) for each in found] == [("replayed", "admin_user")] * 3
    shipment = await admin.shipment(grave.number)
    assert [line["status"] for line in shipment["status_history"]] == [
        *("created", "picked_up", "in_warehouse", "in_transit"),
    ]

    second = ops("dead-letters", "replay", *chosen, "--yes", "--json")
    assert (second.returncode, json.loads(second.stdout)) == (0, []), "nothing of it is open any more"
    forced = ops("dead-letters", "replay", grave.ids[0], "--yes")
    assert (forced.returncode, forced.stderr) == (0, "1 are in the log again\n")
    await replayed(admin, grave.ids[:1], 2)
    assert await admin.shipment(grave.number) == shipment
    for letter, times in zip(grave.ids, (2, 1, 1), strict=True):
        assert await deeds(admin, letter) == [("dead_letter.replayed", "admin_user", None)] * times
    shown = json.loads(ops("dead-letters", "show", grave.ids[0], "--json").stdout)
    assert (shown["event"]["outcome"], shown["event"]["duplicates"]) == ("applied", 1)
    assert [each["action"] for each in shown["history"]] == ["dead_letter.replayed"] * 2


async def test_one_is_discarded_with_its_reason_and_comes_back_by_force_alone(
    admin: Api, ops: Ops, grave: Grave
) -> None:
    letter, other = grave.ids[:2]
    done = ops("dead-letters", "discard", letter, "--reason", "a self-test")
    assert done.returncode == 0, done.stderr
    assert ops("dead-letters", "discard", letter, "--reason", "a self-test").returncode == 0
    another = ops("dead-letters", "discard", letter, "--reason", "another")
    assert (another.returncode, another.stderr) == (
        1,
        "error: admin_user has discarded it: a self-test (DEAD_LETTER_DISCARDED)\n",
    )
    assert await deeds(admin, letter) == [("dead_letter.discarded", "admin_user", "a self-test")]

    refused = ops("dead-letters", "replay", letter, other, "--yes")
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)
    assert [(await state_of(admin, each))["replays"] for each in (letter, other)] == [0, 0]
    assert ops("dead-letters", "replay", letter, "--yes", "--force").returncode == 0
    [back] = await replayed(admin, [letter], 1)
    assert (back["state"], back["discard"]["reason"]) == ("replayed", "a self-test")
    listed = json.loads(ops("actions", "list", "--target", letter, "--json").stdout)
    assert [each["action"] for each in listed] == ["dead_letter.replayed", "dead_letter.discarded"]


async def test_what_nobody_can_read_dies_again_and_says_whose_replay_it_is(
    stack: StackAddresses, admin: Api, ops: Ops
) -> None:
    letter = await unreadable(stack, admin)
    assert ops("dead-letters", "replay", letter["id"], "--yes").returncode == 0
    await replayed(admin, [letter["id"]], 1)

    async def died_again() -> Json | None:
        for each in (await admin.get("/dead-letters?state=open&reason=unreadable")).body["data"]:
            if each["replay_of"] == letter["id"]:
                return dict(each)
        return None

    again = await eventually(died_again, within_s=20)
    assert again["value_preview"] == letter["value_preview"]
    assert {"name": "replayed-by", "value": "admin_user"} in again["headers"]
    discarded = ops("dead-letters", "discard", again["id"], "--reason", "noise", "--json")
    assert json.loads(discarded.stdout)[0]["state"] == "discarded", discarded.stderr


async def test_an_api_key_will_do_and_a_producer_will_not(admin: Api, ops: Ops) -> None:
    for role, code in (("admin", 0), ("producer", 1)):
        name = f"operator_{uuid4().hex[:8]}"
        user = {"username": name, "password": "blue-truck-seven", "role": role}
        assert (await admin.post("/auth/users", user)).status == 201
        key: Mapping[str, Any] = (await admin.post(f"/auth/users/{name}/api-keys", None)).body
        ended = ops("dead-letters", "list", "--json", WAYBILL_API_KEY=key["api_key"])
        assert ended.returncode == code, ended.stderr
        assert (ended.stderr == "") == (code == 0)


async def unreadable(stack: StackAddresses, admin: Api) -> Json:
    """Put something into the log that nobody can read, and return its dead letter."""
    value = f"no event: {uuid4().hex}"
    settings = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    async with producer_on(settings) as producer:
        await producer.append(Topics().events, [OutgoingRecord(b"99M-GMPWC6W7SP2G", value.encode(), [])])

    async def buried() -> Json | None:
        for each in (await admin.get("/dead-letters?state=open&reason=unreadable")).body["data"]:
            if each["value_preview"] == value:
                return dict(each)
        return None

    return await eventually(buried, within_s=20)
