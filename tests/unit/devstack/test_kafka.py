import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from devstack.console.terminal import Screen, StackConsole
from devstack.errors import PartFailedError, PrerequisiteError
from devstack.parts.kafka import Broker, Cluster, replication, server_properties
from devstack.parts.kafka_classes import class_archive
from devstack.parts.kafka_jars import alone_in
from devstack.supervision.launcher import Launcher


def brokers_in(home: Path, count: int) -> tuple[Broker, ...]:
    made = tuple(
        Broker(number=number, home=home / f"{number}", port=9000 + number, controller_port=9100 + number)
        for number in range(1, count + 1)
    )
    for broker in made:
        broker.home.mkdir(exist_ok=True)
    return made


def cluster_in(home: Path, count: int, *, java: str = "true") -> Cluster:
    home.mkdir(exist_ok=True)
    return Cluster(java=Path(java), jars=home, heap_mb=256, brokers=brokers_in(home, count))


def properties_of(broker: Broker, cluster: tuple[Broker, ...]) -> Mapping[str, str]:
    return dict(line.split("=", 1) for line in server_properties(broker, cluster).splitlines())


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    with (tmp_path / "lock").open("w") as lock:
        yield Launcher(tmp_path, {"PATH": "/bin:/usr/bin"}, lock.fileno())


def test_a_broker_listens_on_the_loopback_address_only(tmp_path: Path) -> None:
    [broker] = brokers_in(tmp_path, 1)

    properties = properties_of(broker, (broker,))

    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9001"
    assert properties["auto.create.topics.enable"] == "false"
    assert properties["log.dirs"] == str(tmp_path / "1" / "data")


def test_a_path_is_written_as_java_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "Zoë 📦 \\"
    home.mkdir()
    [broker] = brokers_in(home, 1)

    written = properties_of(broker, (broker,))["log.dirs"]

    assert written == f"{tmp_path}/Zo\\u00eb \\ud83d\\udce6 \\\\/1/data"


def test_brokers_find_each_other_by_what_their_settings_say(tmp_path: Path) -> None:
    cluster = brokers_in(tmp_path, 3)

    each = [properties_of(broker, cluster) for broker in cluster]

    assert [properties["node.id"] for properties in each] == ["1", "2", "3"]
    assert {properties["controller.quorum.voters"] for properties in each} == {
        "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    }


@pytest.mark.parametrize(
    ("brokers", "factor", "min_insync"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 3, 2), (9, 3, 2)]
)
def test_the_replication_tolerates_one_missing_broker(
    brokers: int, factor: int, min_insync: int, tmp_path: Path
) -> None:
    cluster = brokers_in(tmp_path, brokers)

    properties = properties_of(cluster[0], cluster)

    assert replication(brokers) == (factor, min_insync)
    assert properties["offsets.topic.replication.factor"] == str(factor)
    assert properties["transaction.state.log.replication.factor"] == str(factor)
    assert properties["transaction.state.log.min.isr"] == str(min_insync)
    assert properties["min.insync.replicas"] == str(min_insync)


async def test_a_home_keeps_its_number_of_brokers(tmp_path: Path, launcher: Launcher) -> None:
    await cluster_in(tmp_path, 3).prepare(launcher)
    await cluster_in(tmp_path, 3).prepare(launcher)

    for count in (1, 2, 9):
        with pytest.raises(PrerequisiteError) as caught:
            await cluster_in(tmp_path, count).prepare(launcher)
        assert str(caught.value) == (
            f"{tmp_path / '1'} is of a Kafka with WAYBILL_KAFKA_BROKERS=3, not {count}:"
            " set that, or WAYBILL_HOME to another directory"
        )


async def test_a_home_from_before_there_were_several_is_of_one(tmp_path: Path, launcher: Launcher) -> None:
    [broker] = brokers_in(tmp_path, 1)
    (broker.home / "formatted").touch()

    await cluster_in(tmp_path, 1).prepare(launcher)

    with pytest.raises(PrerequisiteError, match="WAYBILL_KAFKA_BROKERS=1, not 3"):
        await cluster_in(tmp_path, 3).prepare(launcher)


async def test_a_failed_format_is_repeated_completely(tmp_path: Path, launcher: Launcher) -> None:
    with pytest.raises(PartFailedError, match="kafka-format failed"):
        await cluster_in(tmp_path, 3, java="false").prepare(launcher)
    half = tmp_path / "1" / "data" / "meta.properties"
    half.parent.mkdir()
    half.touch()

    await cluster_in(tmp_path, 3).prepare(launcher)

    assert not half.exists()  # with an identity of another cluster


async def test_without_an_archive_of_classes_brokers_start_all_the_same(
    tmp_path: Path, launcher: Launcher
) -> None:
    cluster = cluster_in(tmp_path / "jars", 1, java="/bin/false")
    console = StackConsole(Screen(quiet=True), file=tmp_path / "console.log")

    assert await class_archive(launcher, cluster, console=console) is None


async def test_of_two_stacks_one_fills_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    async with alone_in(cache):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), alone_in(cache):
                pass
    async with alone_in(cache):
        pass
    assert list(cache.iterdir()) == []
