"""MongoDB as several members in the home of a stack: it grows, shrinks and survives losses with its data."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern

from tests.support.stack import RunningStack, start_stack

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(300)]


@contextmanager
def members(home: Path, count: int) -> Iterator[RunningStack]:
    env = {**os.environ, "WAYBILL_MONGO_MEMBERS": str(count)}
    with start_stack(home, stores_only=True, env=env) as stack:
        assert len(stack.members()["mongod"]) == count
        yield stack


def keep(stack: RunningStack, parcel: str) -> None:
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        kept = client["kept"].get_collection("parcels", write_concern=WriteConcern("majority", j=True))
        kept.insert_one({"_id": parcel})


def kept_by(stack: RunningStack, index: int) -> list[str]:
    """Return what one member has, whatever it is in the set."""
    port = stack.member("mongod", index).port
    with MongoClient[dict[str, Any]](port=port, directConnection=True) as client:
        return [each["_id"] for each in client["kept"]["parcels"].find().sort("_id")]


def states(stack: RunningStack) -> list[str]:
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        status = client.admin.command("replSetGetStatus")
        assert status["votingMembersCount"] == len(status["members"])
        return sorted(member["stateStr"] for member in status["members"])


def test_data_made_with_one_member_is_taken_up_by_three_and_back(tmp_path: Path) -> None:
    with members(tmp_path, 1) as stack:
        keep(stack, "1")
    with members(tmp_path, 3) as stack:
        keep(stack, "2")
        assert [kept_by(stack, index) for index in range(3)] == [["1", "2"]] * 3
    # What only the members that leave have is not lost: the first one misses the last parcel.
    with members(tmp_path, 3) as stack:
        stack.signal("mongod", signal.SIGSTOP)
        keep(stack, "3")
        stack.process.kill()  # and its children, before the first one can catch up
        stack.process.wait()
    with members(tmp_path, 1) as stack:
        assert kept_by(stack, 0) == ["1", "2", "3"]
        assert states(stack) == ["PRIMARY"]
    assert not list(tmp_path.glob("mongod-*"))
    with members(tmp_path, 3) as stack:
        assert [kept_by(stack, index) for index in range(3)] == [["1", "2", "3"]] * 3


def test_members_find_each_other_at_other_ports(tmp_path: Path) -> None:
    with members(tmp_path, 3) as stack:
        keep(stack, "1")
        ports = {member.port for member in stack.members()["mongod"]}
    (tmp_path / "ports.json").unlink()
    with members(tmp_path, 3) as stack:
        assert not ports & {member.port for member in stack.members()["mongod"]}
        assert states(stack) == ["PRIMARY", "SECONDARY", "SECONDARY"]
        assert kept_by(stack, 0) == ["1"]


@pytest.mark.parametrize("lost", ["mongod", "mongod-3"])
def test_a_member_that_has_lost_its_directory_copies_all_data(tmp_path: Path, lost: str) -> None:
    with members(tmp_path, 3) as stack:
        keep(stack, "1")
    shutil.rmtree(tmp_path / lost)
    with members(tmp_path, 3) as stack:
        assert states(stack) == ["PRIMARY", "SECONDARY", "SECONDARY"]
        assert [kept_by(stack, index) for index in range(3)] == [["1"]] * 3
