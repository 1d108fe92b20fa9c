"""The next configuration of a replica set, one member at a time, and the sizes of its members."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from devstack.parts.mongod import mongo_uri, share_of_cache
from devstack.parts.replica_set import ELECTION_TIMEOUT_MS, Member, ReplicaSet, next_config, with_addresses


def address(number: int) -> str:
    return f"127.0.0.1:{number}"


def config_of(*ids: int, **settings: int) -> dict[str, Any]:
    members = [{"_id": number, "host": address(number), "priority": 1} for number in ids]
    return {"_id": "rs0", "version": 1, "protocolVersion": 1, "members": members, "settings": settings}


def wanted(count: int) -> dict[int, str]:
    return {number: address(number) for number in range(count)}


def steps_to(config: dict[str, Any], count: int) -> list[dict[str, Any]]:
    steps = [config]
    while changed := next_config(steps[-1], wanted(count)):
        steps.append(changed)
    return steps


def ids_of(config: dict[str, Any]) -> list[int]:
    return [member["_id"] for member in config["members"]]


@pytest.mark.parametrize(
    ("before", "count", "after"),
    [
        ([0], 3, [[0], [0, 1], [0, 1, 2]]),
        ([0, 1, 2], 1, [[0, 1, 2], [0, 1], [0]]),
        ([0, 1, 2, 3, 4], 3, [[0, 1, 2, 3, 4], [0, 1, 2, 3], [0, 1, 2]]),
        # A start that ended half-way.
        ([0, 1], 3, [[0, 1], [0, 1, 2]]),
        ([0, 2], 3, [[0, 2], [0, 1, 2]]),
    ],
)
def test_members_come_and_go_one_at_a_time(before: list[int], count: int, after: list[list[int]]) -> None:
    steps = steps_to(config_of(*before), count)
    assert [ids_of(step) for step in steps] == after
    assert all(later["version"] == earlier["version"] + 1 for earlier, later in pairwise(steps))
    assert steps[-1]["settings"] == {"electionTimeoutMillis": ELECTION_TIMEOUT_MS}


def test_what_is_as_wanted_is_left_alone() -> None:
    assert next_config(config_of(0, 1, 2, electionTimeoutMillis=ELECTION_TIMEOUT_MS), wanted(3)) is None


def test_a_set_of_one_takes_over_the_timeout_and_keeps_what_else_it_has() -> None:
    config = {**config_of(0, electionTimeoutMillis=10_000, heartbeatIntervalMillis=7), "writeConcern": True}
    changed = next_config(config, wanted(1))
    assert changed is not None
    assert changed["settings"] == {"electionTimeoutMillis": ELECTION_TIMEOUT_MS, "heartbeatIntervalMillis": 7}
    assert changed["writeConcern"]


def test_a_member_whose_port_was_taken_gets_its_new_address() -> None:
    config = config_of(0, 1, 2)
    moved = with_addresses(config, {**wanted(3), 1: "127.0.0.1:99"})
    assert moved is not None
    assert [member["host"] for member in moved["members"]] == [address(0), "127.0.0.1:99", address(2)]
    assert moved["version"] == 2
    assert config == config_of(0, 1, 2), "the one that was read is not changed"
    assert with_addresses(config, wanted(3)) is None


@pytest.mark.parametrize(("members", "share"), [(1, 1.0), (3, 0.33), (7, 0.25)])
def test_the_members_share_the_cache_as_far_as_mongod_can_do_with_less(members: int, share: float) -> None:
    assert share_of_cache(1.0, members=members) == share


def test_each_member_is_a_part_of_the_group_with_a_name_of_its_own() -> None:
    members = [
        Member(number=number, data=Path(f"/data/{number}"), port=number, address=address(number))
        for number in (1, 2, 3)
    ]
    parts = ReplicaSet(program=Path("mongod"), members=(*members[:1],), surplus=(*members[1:],)).parts()
    assert [part.name for part in parts] == ["mongod", "mongod-2", "mongod-3"]
    assert {part.group for part in parts} == {"mongod"}
    assert [part.command[part.command.index("--dbpath") + 1] for part in parts] == [
        "/data/1",
        "/data/2",
        "/data/3",
    ]


def test_the_address_of_a_set_names_every_member() -> None:
    assert mongo_uri(1) == "mongodb://127.0.0.1:1/?replicaSet=rs0"
    assert mongo_uri(1, 2, 3) == "mongodb://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3/?replicaSet=rs0"
