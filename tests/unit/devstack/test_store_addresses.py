"""Commands on the stores of a running stack get their addresses, or an error if none is up."""

import os
import subprocess
from pathlib import Path

import pytest

from devstack.errors import PartFailedError
from devstack.home.stack_file import Member, write_members
from devstack.store_addresses import addresses_in


def stack_file(directory: Path, pid: int) -> Path:
    path = directory / "stack.json"
    ports = {"mongod": 1, "redis": 2, "kafka": 3}
    write_members(path, {group: (Member(pid=pid, port=port),) for group, port in ports.items()})
    return path


def test_the_addresses_are_those_of_the_file(tmp_path: Path) -> None:
    addresses = addresses_in(stack_file(tmp_path, os.getpid()))
    assert addresses["MONGO_URI"] == "mongodb://127.0.0.1:1/?replicaSet=rs0"
    assert (addresses["REDIS_ADDR"], addresses["KAFKA_BROKERS"]) == ("127.0.0.1:2", "127.0.0.1:3")
    assert addresses["REDIS_MODE"] == "server"
    assert addresses["REDIS_PASSWORD"] == "", "whatever the shell has for another Redis"


def test_a_redis_with_sentinels_is_found_through_them(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    ports = {"mongod": [1], "redis": [2, 3], "kafka": [4], "redis-sentinel": [5, 6, 7]}
    write_members(
        path,
        {group: tuple(Member(pid=os.getpid(), port=port) for port in each) for group, each in ports.items()},
    )
    addresses = addresses_in(path)
    assert addresses["REDIS_ADDR"] == "127.0.0.1:5,127.0.0.1:6,127.0.0.1:7"
    assert (addresses["REDIS_MODE"], addresses["REDIS_SENTINEL_MASTER"]) == ("sentinel", "mymaster")


def test_every_member_of_mongodb_is_named_also_while_one_is_away(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    path = tmp_path / "stack.json"
    members = (
        Member(pid=ended.pid, port=1),
        Member(pid=os.getpid(), port=4),
        Member(pid=os.getpid(), port=5),
    )
    other = (Member(pid=os.getpid(), port=2),)
    write_members(path, {"mongod": members, "redis": other, "kafka": other})
    uri = addresses_in(path)["MONGO_URI"]
    assert uri == "mongodb://127.0.0.1:1,127.0.0.1:4,127.0.0.1:5/?replicaSet=rs0"


def test_a_stack_that_was_killed_is_not_up(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    with pytest.raises(PartFailedError, match=r"^no stack is up in .*: start one \(make run\)"):
        addresses_in(stack_file(tmp_path, ended.pid))
    with pytest.raises(PartFailedError, match=r"^no stack is up"):
        addresses_in(tmp_path / "nowhere" / "stack.json")
