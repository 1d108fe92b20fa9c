"""`python -m devstack run` as users run it: real stores, signals, crashes, a second start."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient
from redis import Redis

from devstack.errors import PartFailedError
from devstack.home.stack_file import GROUPS
from devstack.settings import StackSettings
from messaging.settings import KafkaSettings
from messaging.topics import ensure_topics
from tests.support.ports import unused_port
from tests.support.stack import RunningStack, kill, start_stack
from tests.support.topics import admin_of

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(180)]  # a busy machine is no failure

FOREIGN = {"LC_ALL": "C", **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY"), "http://127.0.0.1:1")}


def children_of(stack: RunningStack) -> list[psutil.Process]:
    return psutil.Process(stack.process.pid).children(recursive=True)


def wait_gone(processes: list[psutil.Process], *, timeout_s: float) -> None:
    _, alive = psutil.wait_procs(processes, timeout=timeout_s)
    assert not alive


def run_devstack(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "devstack", "run", *arguments),
        env={**os.environ, "WAYBILL_HOME": str(home), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Stores on a home that was used and stopped once before; its name and the shell are not simple ones."""
    home = tmp_path_factory.mktemp("stores") / "a home for Zoë 包裹"
    first = start_stack(home, stores_only=True, env={**os.environ, **FOREIGN})
    with MongoClient[dict[str, object]](first.mongo_uri) as mongo:
        mongo["kept"]["parcels"].insert_one({"_id": "99M-1"})
    with Redis(port=first.member("redis").port) as redis:
        redis.set("kept", "yes")
    processes = children_of(first)
    assert first.stop() == 0
    wait_gone(processes, timeout_s=0)
    assert not first.home.stack_file.exists()
    with start_stack(home, stores_only=True, env={**os.environ, **FOREIGN}) as second:
        yield second


def test_data_survives_a_restart(stores: RunningStack) -> None:
    with MongoClient[dict[str, object]](stores.mongo_uri) as mongo:
        assert mongo["kept"]["parcels"].find_one() == {"_id": "99M-1"}
    with Redis(port=stores.member("redis").port, decode_responses=True) as redis:
        assert redis.get("kept") == "yes"


def test_kafka_keeps_its_data_in_the_home(stores: RunningStack) -> None:
    assert (stores.home.root / "kafka" / "data" / "meta.properties").exists()
    assert [path.name for path in stores.home.root.parent.iterdir()] == [stores.home.root.name]


def test_kafka_starts_with_the_classes_that_the_cache_keeps(stores: RunningStack) -> None:
    mapped = {Path(each.path) for each in psutil.Process(stores.member("kafka").pid).memory_maps()}
    cache = StackSettings.from_environment(os.environ, stores_only=True).cache
    assert {path.parent for path in mapped if path.suffix == ".jsa" and "kafka" in path.name} == {cache}


def test_the_stack_file_lists_the_stores_alone(stores: RunningStack) -> None:
    assert set(stores.members()) == {"kafka", "mongod", "redis"} < set(GROUPS)
    alive = {process.pid for process in children_of(stores)}
    assert alive == {member.pid for (member,) in stores.members().values()}


def test_everything_listens_on_the_loopback_address_only(stores: RunningStack) -> None:
    listening = [
        connection.laddr.ip
        for process in children_of(stores)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_a_second_supervisor_on_the_same_home_is_refused(stores: RunningStack) -> None:
    response = run_devstack(stores.home.root, "--stores-only")

    assert response.returncode == 1
    in_use = f"{stores.home.root} is in use by another stack (pid {stores.process.pid})"
    assert response.stderr == f"error: {in_use}: stop it or set WAYBILL_HOME\n"
    assert stores.home.stack_file.exists()


async def test_the_first_member_of_a_group_finds_its_coordinator(stores: RunningStack) -> None:
    """Nobody has used this Kafka before: a first start would log errors."""
    settings = KafkaSettings(KAFKA_BROKERS=stores.kafka_brokers, KAFKA_TOPIC_PREFIX="first-")  # type: ignore[call-arg]
    await ensure_topics(settings)
    async with admin_of(settings) as admin:
        await admin.find_coordinator("first")


async def test_killed_stores_come_back_with_their_data(stores: RunningStack) -> None:
    old = {group: stores.signal(group, signal.SIGKILL) for group in ("kafka", "mongod")}
    kill(stores, "redis")
    for group, member in old.items():
        assert stores.wait_replaced(group, member).port == member.port

    notes = (stores.home.logs / "supervisor.log").read_text()
    for group, member in old.items():
        assert f"{group} (pid {member.pid}) died: killed by SIGKILL" in notes
    test_data_survives_a_restart(stores)
    admin = AIOKafkaAdminClient(bootstrap_servers=stores.kafka_brokers)
    await admin.start()
    await admin.create_topics([NewTopic("after", num_partitions=1, replication_factor=1)])
    await admin.close()


def test_a_killed_supervisor_takes_its_children_along(stores: RunningStack) -> None:
    """Run last of those that share the stores: it ends them."""
    processes = children_of(stores)
    assert len(processes) == 3

    os.kill(stores.process.pid, signal.SIGKILL)
    stores.process.wait()
    wait_gone(processes, timeout_s=5)

    with start_stack(stores.home.root, stores_only=True, env=os.environ) as again:
        test_data_survives_a_restart(again)
        os.kill(again.process.pid, signal.SIGINT)
        assert again.process.wait(60) == 0


def test_a_taken_gateway_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        response = run_devstack(tmp_path, WAYBILL_PORT=str(port))

    assert response.returncode == 1
    assert response.stdout == ""
    assert response.stderr == (
        f"error: port {port} is taken by another program: stop it or set WAYBILL_PORT\n"
    )


def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    response = run_devstack(tmp_path, PROCESSORS="many")

    assert response.returncode == 1
    assert response.stderr == "error: PROCESSORS must be a whole number from 1 to 64, not 'many'\n"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"ENV": "/etc/profile", "LOG_LEVEL": "INFO", "LIMIT_READS_PER_S": "many", "BCRYPT_COST": "99"}
            | {"PROCESSOR_MAX_BATCH": "0", "DEAD_LETTERS_KEEP_DAYS": "1"},
            (
                "ENV: Input should be 'development' or 'production'; "
                "LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'; "
                "BCRYPT_COST: Input should be less than or equal to 16; LIMIT_READS_PER_S: Input should be "
                "a; "
                "PROCESSOR_MAX_BATCH: Input should be greater than or equal to 1; "
                "DEAD_LETTERS_KEEP_DAYS: at least 15, "
            ),
        ),
        ({"WAYBILL_TRUSTED_PROXIES": "nobody"}, "the gateway cannot use its settings: "),
        ({"WAYBILL_HOME": "/home/a,b"}, "WAYBILL_HOME must be a path in UTF-8 without comma or colon, not "),
    ],
)
def test_a_setting_that_no_service_can_use_is_one_line_and_nothing_starts(
    tmp_path: Path, env: dict[str, str], said: str
) -> None:
    response = run_devstack(tmp_path, **{"WAYBILL_PORT": str(unused_port()), **env})

    assert response.returncode == 1
    assert response.stderr.count("\n") == 1
    faults = set(response.stderr.removeprefix("error: ").strip().split("; "))
    assert all(any(fault.startswith(part) for fault in faults) for part in said.split("; ")), response.stderr
    assert not (tmp_path / "mongod").exists()


@pytest.mark.parametrize("name", ["lock", "ports.json", "jwt_secret"])
def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path, name: str) -> None:
    """For root no file is read-only, so directories stand where files should be."""
    (tmp_path / name / "in the way").mkdir(parents=True)
    response = run_devstack(tmp_path, WAYBILL_PORT=str(unused_port()))

    assert (response.returncode, response.stderr) == (1, f"error: {tmp_path / name}: Is a directory\n")


def test_missing_java_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    response = run_devstack(tmp_path, "--stores-only", PATH=str(tmp_path), JAVA_HOME="")

    assert response.returncode == 1
    assert response.stderr == "error: java is missing: apt-get install openjdk-17-jre-headless maven\n"


def test_a_failed_download_is_one_line_and_leaves_no_half_cache(tmp_path: Path) -> None:
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    maven.write_text("#!/bin/sh\necho '[ERROR] Could not transfer: Unknown host -> [Help 1]'; exit 1")
    maven.chmod(0o755)
    env = {"PATH": f"{maven.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    response = run_devstack(tmp_path / "home", "--stores-only", **env)

    assert response.returncode == 1
    line = "error: cannot fetch Kafka 4.3.1: Could not transfer: Unknown host\n"
    assert response.stderr == line
    assert list((tmp_path / "cache" / "waybill").iterdir()) == []


def test_a_start_can_be_broken_off(tmp_path: Path) -> None:
    env = {**os.environ, "WAYBILL_HOME": str(tmp_path)}
    process = subprocess.Popen(
        (sys.executable, "-m", "devstack", "run", "--stores-only"), env=env, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not psutil.Process(process.pid).children() and time.monotonic() < deadline:
        time.sleep(0.05)
    processes = psutil.Process(process.pid).children(recursive=True)
    process.terminate()

    assert process.wait(60) == 0
    wait_gone(processes, timeout_s=0)


def test_a_failed_start_reports_the_cause(tmp_path: Path) -> None:
    env = {**os.environ, "PROCESSORS": "0"}

    with pytest.raises(PartFailedError, match="exit code 1") as caught:
        start_stack(tmp_path, env=env)

    assert caught.value.details[0].startswith("error: PROCESSORS must be")
