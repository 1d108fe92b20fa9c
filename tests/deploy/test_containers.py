"""docker-compose.yml on a real engine: it starts, works, heals and retains its data (`make test-docker`)."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from tests.deploy.containers import KID, Containers
from tests.support.api import Api, open_api
from tests.support.printed_calls import ROOT, calls, run_calls
from tests.support.stack import ExternalStack

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

SERVICES = ("ingest-api", "query-api", "processor", "webhooks", "portal")
SERVERS = ("gateway", *SERVICES, "redis", "kafka", "mongo")
APIS = ("ingest-api", "ingest-api-more", "query-api", "query-api-more")
WHO = "id -u; touch /x 2>&1; grep CapEff /proc/1/status"
COUNTER = "http_requests_total{"
WITHOUT_PASSWORDS = """
import pymongo, pymongo.errors, redis
try:
    redis.Redis(host="redis").get("x")
except redis.exceptions.RedisError as error:
    print(type(error).__name__)
try:
    pymongo.MongoClient("mongodb://mongo:27017").shipping_system.users.find_one()
except pymongo.errors.OperationFailure as error:
    print(type(error).__name__, error.code)
"""
READ_METRICS = """
import os, urllib.request
print(urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/metrics").read().decode())
"""


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def waybill() -> Iterator[Containers]:
    """Give Waybill in containers, with no data, started once for these tests."""
    # A name of its own, so that two runs on one engine leave each other alone.
    containers = Containers(f"waybill-test-{os.getpid()}", free_port())
    try:
        print(f"up from nothing: {containers.up():.0f} s")  # noqa: T201  # `-rP` shows it
        yield containers
    finally:
        containers.down("--volumes")


async def asked_for_body(waybill: Containers, token: str) -> int:
    """Return how often a client that waits for `100 Continue` gets it."""
    reader, writer = await asyncio.open_connection("localhost", waybill.port)
    head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n".encode())
    seen = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"{}")
    while not seen.rstrip().endswith(b"}"):
        seen += await reader.read(65_536)
    writer.close()
    assert b"HTTP/1.1 400 " in seen
    return seen.count(b"100 Continue")


async def shipment_total(admin: Api) -> int:
    total: int = (await admin.get("/shipments?limit=1")).body["pagination"]["total"]
    return total


def requests_of(waybill: Containers, service: str) -> float:
    """Return how many requests a replica has answered, health checks excluded."""
    metrics = waybill.compose("exec", "-T", service, "python", "-c", READ_METRICS)
    lines = [line for line in metrics.splitlines() if line.startswith(COUNTER) and "/health" not in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_only_the_gateway_is_published_and_all_is_well(waybill: Containers) -> None:
    assert waybill.unwell() == []
    published = [
        (one["Service"], port["PublishedPort"], port["URL"])
        for one in waybill.all()
        for port in one["Publishers"]
        if port["PublishedPort"]
    ]
    assert published == [("gateway", waybill.port, "127.0.0.1")]


def test_every_process_is_an_ordinary_user_on_a_read_only_root(waybill: Containers) -> None:
    for service in SERVERS:
        output = waybill.compose("exec", "-T", service, "sh", "-c", WHO)
        user, touched, capabilities = output.splitlines()
        assert user != "0", service
        assert "Read-only file system" in touched, service
        assert int(capabilities.split()[1], 16) == 0, service


def test_the_readme_calls_work(waybill: Containers, tmp_path: Path) -> None:
    stack = ExternalStack(
        mongo_uri="", redis_addr="", kafka_brokers="", gateway_url=waybill.gateway_url, jwt_secret=""
    )
    printed = run_calls(calls((ROOT / "README.md").read_text()), stack, tmp_path)
    assert '"outcome":"applied"' in printed
    assert '"error"' not in printed


def test_the_demo_comes_to_its_known_answer(waybill: Containers) -> None:
    started = time.monotonic()
    printed = waybill.whole_demo()
    print(f"demo: {time.monotonic() - started:.0f} s\n{printed}")  # noqa: T201


def test_a_store_asks_for_a_password(waybill: Containers) -> None:
    assert waybill.compose("exec", "-T", "redis", "redis-cli", "ping") == "PONG\n"
    assert waybill.compose("exec", "-T", "mongo", "mongosh", "--quiet", "--eval", "db.version()")
    refused = waybill.compose("exec", "-T", "processor", "python", "-c", WITHOUT_PASSWORDS)
    assert refused.splitlines() == ["NoPermissionError", "OperationFailure 13"]


def test_mongod_has_the_files_that_it_asks_for_or_all_that_the_engine_gives(waybill: Containers) -> None:
    limits = waybill.compose("exec", "-T", "mongo", "cat", "/proc/1/limits")
    soft, hard = next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(soft) == 64_000 or soft == hard


async def test_a_setting_of_the_environment_has_its_effect(waybill: Containers) -> None:
    async with open_api(waybill.gateway_url) as nobody:
        token = await nobody.log_in("admin_user")
    assert jwt.get_unverified_header(token)["kid"] == KID


async def test_continue_is_sent_once_per_body(waybill: Containers) -> None:
    """Some proxies send it themselves, beside the service's."""
    async with open_api(waybill.gateway_url) as nobody, asyncio.timeout(60):
        token = await nobody.log_in("driver_user_001")
        assert {await asked_for_body(waybill, token) for _ in range(200)} == {1}


@pytest.mark.parametrize("service", ["gateway", "kafka"])
def test_a_server_that_listens_and_does_not_answer_is_not_healthy(service: str, waybill: Containers) -> None:
    waybill.kill(service, signal="STOP")
    try:
        waybill.wait_until(service, "unhealthy")
    finally:
        waybill.kill(service, signal="CONT")
    waybill.wait_until_well()


@pytest.mark.parametrize("service", SERVERS)
def test_a_killed_container_comes_back_and_nothing_is_lost(service: str, waybill: Containers) -> None:
    with waybill.demo() as demo:
        waybill.kill(service)
        took_s = waybill.wait_until_well()
        demo.finish()
    print(f"{service}: healthy {took_s:.0f} s after it was killed")  # noqa: T201


def test_of_three_processors_one_may_die(waybill: Containers) -> None:
    waybill.up("--scale", "processor=3")
    with waybill.demo() as demo:
        waybill.kill("processor", index=2)
        demo.finish()
    waybill.wait_until_well()
    owners = {one["Name"] for one in waybill.all() if one["Service"] == "processor"}
    assert len(owners) == 3


def test_a_second_make_up_changes_nothing(waybill: Containers) -> None:
    waybill.make("up")
    before = waybill.running_since()
    waybill.make("up")
    assert waybill.running_since() == before


async def test_the_profile_scale_doubles_the_apis_and_each_gets_its_share(waybill: Containers) -> None:
    waybill.make("up", "PROFILES=scale")
    before = {service: requests_of(waybill, service) for service in APIS}
    # The demo's clients keep their connections; the others come by one connection each.
    waybill.whole_demo()
    for _ in range(40):
        async with open_api(waybill.gateway_url) as nobody:
            await nobody.get("/shipments")
    for service in ("ingest-api", "query-api"):
        shares = [requests_of(waybill, each) - before[each] for each in (service, f"{service}-more")]
        assert min(shares) > 0.25 * sum(shares) > 0, (service, shares)


def test_a_plain_make_up_leaves_nobody_with_old_code(waybill: Containers) -> None:
    assert "ingest-api-more" in {one["Service"] for one in waybill.all()}
    printed = waybill.make("up")
    assert "no profile asks for these any more" in printed
    assert not [one["Name"] for one in waybill.all() if "-more" in one["Service"]]
    assert waybill.unwell() == []


async def test_consumers_outside_read_changes_and_write_nothing(waybill: Containers) -> None:
    port = free_port()
    settings = {
        "COMPOSE_FILE": "docker-compose.yml:deploy/docker/kafka-outside.yml",
        "KAFKA_OUTSIDE_PASSWORD": "0f8e2b6c4d9a7153",
        "KAFKA_OUTSIDE_PORT": str(port),
    }
    waybill.down()
    replace(waybill, settings=settings).up()
    waybill.whole_demo()
    login = {
        "bootstrap_servers": f"localhost:{port}",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "consumer",
        "sasl_plain_password": settings["KAFKA_OUTSIDE_PASSWORD"],
    }
    consumer = AIOKafkaConsumer(
        "shipments.changes", group_id="outside", auto_offset_reset="earliest", **login
    )
    async with consumer:
        assert (await asyncio.wait_for(consumer.getone(), 60)).topic == "shipments.changes"
    async with AIOKafkaProducer(**login) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("shipments.events", b"forged")
    guessing = AIOKafkaConsumer(**{**login, "sasl_plain_password": "guessed"})
    try:
        with pytest.raises(KafkaConnectionError):
            await guessing.start()
    finally:
        await guessing.stop()
    waybill.down()
    waybill.up()


async def test_data_and_secret_survive_down_and_up(waybill: Containers) -> None:
    async with open_api(waybill.gateway_url) as nobody:
        admin = nobody.by(await nobody.log_in("admin_user"))
        before = await shipment_total(admin)
        waybill.down()
        took_s = waybill.up()
        assert await shipment_total(admin) == before >= 1000
    waybill.whole_demo()
    print(f"up again: {took_s:.0f} s")  # noqa: T201


def test_sigterm_ends_a_service_well(waybill: Containers) -> None:
    started = time.monotonic()
    waybill.compose("stop", "--timeout", "25", *SERVICES)
    assert time.monotonic() - started < 20
    codes = {one["Service"]: one["ExitCode"] for one in waybill.all() if one["State"] == "exited"}
    assert {codes[service] for service in SERVICES} == {0}


def test_deleting_data_says_what_it_deletes_and_leaves_backups(waybill: Containers) -> None:
    """Run last: nothing is left afterwards."""
    assert "make docker-clean-data" in waybill.refused("make", "down", "ARGS=--volumes")
    listed = waybill.refused("make", "docker-clean-data")
    assert "nothing was deleted" in listed
    assert f"{waybill.project}_mongo  shipments" in listed
    waybill.make("docker-clean-data", "ARGS=--yes")
    assert waybill.all() == []
    assert waybill.volumes() == {"backups"}
