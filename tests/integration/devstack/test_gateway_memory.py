"""Memory of the gateway for clients that keep connections open and send nothing."""

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.integration.devstack.door import Door, open_door

pytestmark = pytest.mark.stack

ROOT = Path(__file__).resolve().parents[3]
REQUEST = b"GET /shipments HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n"
AT_ONCE = 100
PER_CONNECTION = 64 << 10
"""A few KiB of HAProxy's each, and a buffer only while something is on its way."""


@pytest.fixture
def many_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def composed() -> tuple[int, int]:
    """Return the memory and the number of files that Compose gives the gateway."""
    gateway = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
    memory = gateway["deploy"]["resources"]["limits"]["memory"]
    assert memory.endswith("M")
    return int(memory.removesuffix("M")) << 20, gateway["ulimits"]["nofile"]["hard"]


def listens(process: psutil.Process, port: int) -> bool:
    """Return whether a process listens on a port; the stack that tests share has a gateway, too."""
    return process.name() == "haproxy" and any(
        each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections()
    )


def gateway_of(door: Door) -> tuple[str, int, psutil.Process]:
    """Return where a gateway listens, and its process."""
    url = door.session._base_url  # noqa: SLF001  # raw connections are needed
    assert url is not None
    assert url.host is not None
    assert url.port is not None
    [process] = [each for each in psutil.Process().children(recursive=True) if listens(each, url.port)]
    return url.host, url.port, process


async def growth(door: Door, connections: int) -> tuple[int, int]:
    """Return the gateway's memory without connections, and the growth with so many."""
    host, port, process = gateway_of(door)
    kept: list[asyncio.StreamWriter] = []

    async def connect() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        kept.append(writer)
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))

    await connect()
    before = process.memory_info().rss
    for _ in range(connections // AT_ONCE):
        await asyncio.gather(*(connect() for _ in range(AT_ONCE)))
    after = process.memory_info().rss
    for writer in kept:
        writer.close()
    return before, after - before


async def test_a_connection_that_is_kept_costs_little(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        _, grown = await growth(door, 500)
    assert grown / 500 < PER_CONNECTION, grown


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("many_files")
async def test_ten_thousand_connections_that_are_kept_fit_into_the_memory_of_the_gateway(
    tmp_path: Path,
) -> None:
    memory, files = composed()
    async with open_door(tmp_path) as door:
        before, grown = await growth(door, 9_000)  # as many as there are ports and files for on any machine
    assert before + grown / 9_000 * files < memory, (before, grown)


@pytest.mark.long
@pytest.mark.usefixtures("many_files")
async def test_heads_that_are_not_complete_fit_into_the_memory_of_the_gateway(tmp_path: Path) -> None:
    memory, _ = composed()
    head = b"GET /shipments HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * (43 << 10)
    kept: list[asyncio.StreamWriter] = []

    async def connect() -> None:
        _, writer = await asyncio.open_connection(host, port)
        kept.append(writer)
        writer.write(head)

    async with open_door(tmp_path) as door:
        host, port, process = gateway_of(door)
        for _ in range(6_000 // AT_ONCE):
            await asyncio.gather(*(connect() for _ in range(AT_ONCE)))
        held = process.memory_info().rss
        # ... and give way to others when their time is over.
        async with asyncio.timeout(20), door.session.get("/shipments") as response:
            assert response.status == 200
        for writer in kept:
            writer.transport.abort()
    assert held < memory, held
