from dataclasses import replace
from pathlib import Path

import pytest

from devstack.client import reserve_store_ports
from devstack.errors import SettingsError
from devstack.home import ports
from devstack.home.ports import assign_ports
from devstack.settings import StackSettings
from tests.unit.devstack.test_parts import ADDRESSES


def links_of(text: str) -> dict[str, str]:
    return {**StackSettings.from_environment({"WAYBILL_LINKS": text}, stores_only=False).links}


def test_without_the_setting_there_are_no_links() -> None:
    assert StackSettings.from_environment({}, stores_only=False).links == {}
    assert links_of("") == {}


def test_any_of_the_stores_can_be_linked() -> None:
    assert links_of("redis=localhost:20002") == {"redis": "localhost:20002"}
    assert links_of("mongod=127.0.0.1:20001, redis=127.0.0.1:20002,kafka=127.0.0.1:20003") == {
        "mongod": "127.0.0.1:20001",
        "redis": "127.0.0.1:20002",
        "kafka": "127.0.0.1:20003",
    }


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("mongo=127.0.0.1:1", "may name mongod, redis, kafka, not 'mongo'"),
        ("127.0.0.1:1", "may name mongod, redis, kafka, not '127.0.0.1:1'"),
        ("redis", "must give redis as host:port, not ''"),
        ("redis=127.0.0.1", "must give redis as host:port, not '127.0.0.1'"),
        ("redis=:1", "must give redis as host:port, not ':1'"),
        ("redis=host:70000", "must give redis as host:port, not 'host:70000'"),
        ("kafka=a:1/b", "must give kafka as host:port, not 'a:1/b'"),
        ("redis=a:1,redis=b:2", "names redis twice"),
    ],
)
def test_each_fault_of_a_link_is_named(text: str, wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        links_of(text)

    assert str(caught.value) == f"WAYBILL_LINKS {wrong}"


def test_a_kafka_of_several_brokers_cannot_be_linked() -> None:
    env = {"WAYBILL_LINKS": "kafka=127.0.0.1:20003", "WAYBILL_KAFKA_BROKERS": "3"}

    with pytest.raises(SettingsError, match="WAYBILL_LINKS cannot link kafka with WAYBILL_KAFKA_BROKERS=3"):
        StackSettings.from_environment(env, stores_only=False)


def test_a_redis_behind_sentinels_cannot_be_linked() -> None:
    env = {"WAYBILL_LINKS": "redis=127.0.0.1:20003", "WAYBILL_REDIS_SENTINELS": "3"}

    with pytest.raises(SettingsError, match="WAYBILL_LINKS cannot link redis with WAYBILL_REDIS_SENTINELS=3"):
        StackSettings.from_environment(env, stores_only=False)


def test_each_member_of_mongodb_can_be_linked() -> None:
    text = "mongod=127.0.0.1:20001,mongod-3=127.0.0.1:20003"
    env = {"WAYBILL_LINKS": text, "WAYBILL_MONGO_MEMBERS": "3"}

    links = StackSettings.from_environment(env, stores_only=False).links

    assert links == {"mongod": "127.0.0.1:20001", "mongod-3": "127.0.0.1:20003"}
    with pytest.raises(SettingsError, match="may name mongod, redis, kafka, not 'mongod-3'"):
        links_of(text)


def test_services_get_the_address_of_a_link_in_place_of_the_stores() -> None:
    linked = ADDRESSES.through({"mongod": "127.0.0.1:11", "redis": "127.0.0.1:12", "kafka": "127.0.0.1:13"})

    # A driver that gets the name of the replica set would connect to the address of its member.
    assert linked == replace(
        ADDRESSES,
        mongo_uri="mongodb://127.0.0.1:11/?directConnection=true",
        redis_addr="127.0.0.1:12",
        kafka_brokers="127.0.0.1:13",
    )


def test_a_store_without_a_link_keeps_its_address() -> None:
    assert ADDRESSES.through({}) == ADDRESSES
    assert ADDRESSES.through({"redis": "127.0.0.1:12"}) == replace(ADDRESSES, redis_addr="127.0.0.1:12")


def test_reserved_ports_are_those_that_the_stack_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _: True)
    home = tmp_path / "home"

    reserved = reserve_store_ports(home)

    started = assign_ports([*reserved, "processor-1"], file=home / "ports.json", seed=2)
    assert {"mongod", "redis", "kafka"} <= set(reserved)
    assert {name: started[name] for name in reserved} == reserved
