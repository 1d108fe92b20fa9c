"""A running gateway with small stand-ins for the services behind it, and for a DNS server."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import aiohttp
from aiohttp import web

from devstack.home.ports import choose_ports, is_free
from devstack.home.programs import wheel_program
from devstack.parts import gateway
from devstack.parts.gateway import gateway_part
from devstack.parts.services import replica_names
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher

ETAG = '"v7"'
TWO_MIB = 2 << 20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Stand-in that returns its name and the request; counts the requests that arrive."""

    def __init__(self, name: str, port: int, host: str = "127.0.0.1") -> None:
        self.name = name
        self.port = port
        self.host = host
        self.seen: list[str] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=TWO_MIB)
        app.router.add_route("*", "/{path:.*}", self._respond)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, max_field_size=1 << 16, max_line_size=1 << 16)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/health/live":
            return web.Response()
        self.seen.append(f"{request.method} {request.path}")
        if "die" in request.query and request.transport is not None:
            request.transport.abort()  # as a service killed in the middle of a request
        if request.headers.get("If-None-Match") == ETAG:
            return web.Response(status=304, headers={"ETag": ETAG})
        length = len(await request.read())
        response = {
            "who": self.name,
            "length": length,
            "id": request.headers.get("X-Request-Id"),
            "for": ", ".join(request.headers.getall("X-Forwarded-For", [])),
            "site": f"{request.headers.get('X-Forwarded-Proto')}://{request.headers.get('X-Forwarded-Host')}",
            "match": ", ".join(request.headers.getall("If-Match", [])),
            "pad": "x" * 2000,
        }
        return web.json_response(response, headers={"ETag": ETAG, "Vary": "Origin"})


class Names(asyncio.DatagramProtocol):
    """DNS server for which each name has the same addresses of version 4."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = [ip_address(address).packed for address in addresses]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        question = data[12 : data.index(b"\0", 12) + 5]
        addresses = self._addresses if question[-4:-2] == b"\0\1" else []
        head = data[:2] + struct.pack(">5H", 0x8180, 1, len(addresses), 0, 0)
        records = [struct.pack(">3HIH", 0xC00C, 1, 1, 60, 4) + address for address in addresses]
        self._transport.sendto(head + question + b"".join(records), sender)


class Door:
    """A running gateway, the services behind it and a client in front; `inner` is the portal's way in."""

    def __init__(
        self, session: aiohttp.ClientSession, services: dict[str, list[Service]], *, inner: str
    ) -> None:
        self.session = session
        self.inner = inner
        self.services = services
        self.ingest = services["ingest-api"]
        self.query = services["query-api"]


@asynccontextmanager
async def open_door(
    directory: Path, *, ingest: int = 1, query: int = 1, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Door]:
    replicas = {"ingest-api": ingest, "query-api": query, "webhooks": 1, "portal": 1}
    named = {group: replica_names(group, count) for group, count in replicas.items()}
    names = ["gateway", gateway.INNER, *(name for group in named.values() for name in group)]
    seed = random.SystemRandom().getrandbits(32)
    ports = choose_ports(names, remembered={}, is_free=is_free, seed=seed)
    behind = {
        group: [Service(name, ports[name]) for name in group_names] for group, group_names in named.items()
    }
    services = [service for group in behind.values() for service in group]
    part = gateway_part(
        wheel_program(gateway.DISTRIBUTION, "haproxy"),
        data=directory,
        port=ports["gateway"],
        inner_port=ports[gateway.INNER],
        replicas={group: [service.port for service in services] for group, services in behind.items()},
    )
    part = replace(part, environment={**part.environment, **(settings or {})})
    with (directory / "lock").open("w") as lock:
        child = Child(part, Launcher(directory, {}, lock.fileno()))
        try:
            await asyncio.gather(*(service.start() for service in services))
            await child.start()
            url = f"http://127.0.0.1:{ports['gateway']}"
            async with aiohttp.ClientSession(
                url, auto_decompress=False, headers={"Accept-Encoding": "identity"}
            ) as session:
                yield Door(session, behind, inner=f"http://127.0.0.1:{ports[gateway.INNER]}")
        finally:
            child.kill()
            await child.wait()
            await asyncio.gather(*(service.stop() for service in services))


async def ask(door: Door, head: str) -> str:
    """Send a head as it stands, which a client would clean, and return all that comes back."""
    url = door.session._base_url  # noqa: SLF001  # no client library does it
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode())
    response = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return response
