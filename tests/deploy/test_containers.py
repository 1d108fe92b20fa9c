"""docker-compose.yml on a real engine: it comes up, works, heals and keeps its data (`make test-docker`)."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.containers import Containers
from tests.support.api import Api, open_api
from tests.support.printed_calls import ROOT, calls, run_calls
from tests.support.stack import ExternalStack

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

SERVERS = ("gateway", "ingest-api", "query-api", "processor", "redis", "kafka", "mongo")
WHO = "id -u; touch /x 2>&1; grep CapEff /proc/1/status"
COUNTER = "http_requests_total{"
READ_METRICS = """
import os, urllib.request
print(urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/metrics").read().decode())
"""


@pytest.fixture(scope="module")
def waybill() -> Iterator[Containers]:
    """Give Waybill in containers, with no data, started once for these tests."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        # A name of its own, so that two runs on one engine leave each other alone.
        containers = Containers(f"waybill-test-{os.getpid()}", probe.getsockname()[1])
    try:
        print(f"up from nothing: {containers.up():.0f} s")  # noqa: T201  # `-rP` shows it
        yield containers
    finally:
        containers.down("--volumes")


def finished(demo: subprocess.Popen[str]) -> str:
    """Wait for a demo to end with the known totals and return what it printed."""
    printed, _ = demo.communicate(timeout=400)
    assert demo.returncode == 0, printed
    assert "totals equal the data set's known answer" in printed
    return printed


async def shipment_total(admin: Api) -> int:
    total: int = (await admin.get("/shipments?limit=1")).body["pagination"]["total"]
    return total


def requests_of(waybill: Containers, service: str) -> float:
    """Return how many requests a replica has answered, but for questions after its health."""
    metrics = waybill.compose("exec", "-T", service, "python", "-c", READ_METRICS)
    lines = [line for line in metrics.splitlines() if line.startswith(COUNTER) and "/health" not in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_only_the_gateway_is_published_and_all_is_well(waybill: Containers) -> None:
    assert waybill.unwell() == []
    published = {
        one["Service"] for one in waybill.all() for port in one["Publishers"] if port["PublishedPort"]
    }
    assert published == {"gateway"}


def test_every_process_is_an_ordinary_user_on_a_read_only_root(waybill: Containers) -> None:
    for service in SERVERS:
        told = waybill.compose("exec", "-T", service, "sh", "-c", WHO)
        user, touched, capabilities = told.splitlines()
        assert user != "0", service
        assert "Read-only file system" in touched, service
        assert int(capabilities.split()[1], 16) & ~(1 << 10) == 0, (service, "all but NET_BIND_SERVICE")


def test_the_readme_calls_work(waybill: Containers, tmp_path: Path) -> None:
    stack = ExternalStack(
        mongo_uri="", redis_addr="", kafka_brokers="", gateway_url=waybill.gateway_url, jwt_secret=""
    )
    printed = run_calls(calls((ROOT / "README.md").read_text()), stack, tmp_path)
    assert '"outcome":"applied"' in printed
    assert '"error"' not in printed


def test_the_demo_comes_to_its_known_answer(waybill: Containers) -> None:
    started = time.monotonic()
    printed = finished(waybill.demo())
    print(f"demo: {time.monotonic() - started:.0f} s\n{printed}")  # noqa: T201


@pytest.mark.parametrize("service", SERVERS)
def test_a_killed_container_comes_back_and_nothing_is_lost(service: str, waybill: Containers) -> None:
    demo = waybill.demo()
    time.sleep(2)  # so that it is amid its traffic
    waybill.kill(service)
    took_s = waybill.wait_until_well()
    finished(demo)
    print(f"{service}: healthy {took_s:.0f} s after it was killed")  # noqa: T201


def test_of_three_processors_one_may_die(waybill: Containers) -> None:
    waybill.up("--scale", "processor=3")
    demo = waybill.demo()
    time.sleep(2)
    waybill.kill("processor", index=2)
    finished(demo)
    waybill.wait_until_well()
    owners = {one["Name"] for one in waybill.all() if one["Service"] == "processor"}
    assert len(owners) == 3


def test_the_profile_scale_doubles_the_doors_and_both_are_used(waybill: Containers) -> None:
    waybill.compose("--profile", "scale", "up", "--detach", "--wait")
    finished(waybill.demo())
    for service in ("ingest-api", "ingest-api-more", "query-api", "query-api-more"):
        assert requests_of(waybill, service) > 0, service


async def test_data_and_secret_survive_down_and_up(waybill: Containers) -> None:
    async with open_api(waybill.gateway_url) as nobody:
        admin = nobody.by(await nobody.log_in("admin_user"))
        before = await shipment_total(admin)
        waybill.down()
        took_s = waybill.up()
        assert await shipment_total(admin) == before >= 1000
    finished(waybill.demo())
    print(f"up again: {took_s:.0f} s")  # noqa: T201


def test_sigterm_ends_a_service_well(waybill: Containers) -> None:
    started = time.monotonic()
    waybill.compose("stop", "--timeout", "25", "ingest-api", "query-api", "processor")
    assert time.monotonic() - started < 20
    codes = {one["Service"]: one["ExitCode"] for one in waybill.all() if one["State"] == "exited"}
    assert {codes[service] for service in ("ingest-api", "query-api", "processor")} == {0}
