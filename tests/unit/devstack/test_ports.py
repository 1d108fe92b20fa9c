from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.home import ports
from devstack.home.port_claims import PortClaims
from devstack.home.ports import CANDIDATES, assign_ports, choose_ports, store_ports


def all_but(*taken: int) -> Callable[[int], bool]:
    return lambda port: port not in taken


def test_every_name_gets_a_port_of_its_own() -> None:
    names = [f"part-{number}" for number in range(50)]

    chosen = choose_ports(names, remembered={}, is_free=all_but(), seed=1)

    assert list(chosen) == names
    assert len(set(chosen.values())) == 50
    assert all(port in CANDIDATES for port in chosen.values())


def test_each_broker_has_two_ports_and_one_alone_those_of_the_first_homes() -> None:
    assert store_ports(1) == ("mongod", "redis", "kafka", "kafka-controller")
    assert set(store_ports(3)) - set(store_ports(1)) == {
        "kafka-2",
        "kafka-3",
        "kafka-2-controller",
        "kafka-3-controller",
    }


def test_each_member_of_mongodb_has_a_port() -> None:
    assert set(store_ports(1, mongo_members=3)) - set(store_ports(1)) == {"mongod-2", "mongod-3"}


def test_a_remembered_port_is_kept_while_it_is_free() -> None:
    remembered = {"kafka": 20_001, "redis": 20_002, "elsewhere": 20_003}

    chosen = choose_ports(["kafka", "redis"], remembered=remembered, is_free=all_but(20_002), seed=1)

    assert chosen["kafka"] == 20_001
    assert chosen["redis"] not in remembered.values()
    assert chosen["elsewhere"] == 20_003


def test_no_free_port_is_an_error_that_names_the_part() -> None:
    with pytest.raises(StackError, match="no free port for kafka"):
        choose_ports(["kafka"], remembered={}, is_free=lambda _: False, seed=1)


def test_the_choice_is_remembered_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", all_but())
    file = tmp_path / "ports.json"

    first = assign_ports(["kafka", "redis"], file=file, seed=1)
    again = assign_ports(["redis", "kafka", "mongod"], file=file, seed=2)

    assert again == {**first, "mongod": again["mongod"]}


def test_stacks_that_start_together_choose_different_ports(tmp_path: Path) -> None:
    names = ["kafka", "redis", "mongod"]
    first, second = PortClaims(), PortClaims()

    chosen = assign_ports(names, file=tmp_path / "first.json", seed=1, claims=first)
    other = assign_ports(names, file=tmp_path / "second.json", seed=1, claims=second)
    assert not set(chosen.values()) & set(other.values())
    # What is remembered is no right to a port: another stack may have it by now.
    moved = assign_ports(names, file=tmp_path / "first.json", seed=2, claims=second)
    assert not set(moved.values()) & set(chosen.values())

    first.release()
    again = assign_ports(names, file=tmp_path / "third.json", seed=1, claims=first)
    assert again == chosen


@pytest.mark.parametrize("content", ["", "not json", "[1]", '{"kafka": "soon"}'])
def test_a_damaged_file_is_only_a_lost_preference(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", all_but())
    file = tmp_path / "ports.json"
    file.write_text(content)

    assert assign_ports(["kafka"], file=file, seed=1)["kafka"] in CANDIDATES
