"""A service in its own process, on a test's site, started as it is in production."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import psutil

from tests.e2e.tokens import signed
from tests.support.ports import unused_port
from tests.support.site import Site
from tests.support.waiting import wait_for

SECRET = "a-secret-of-tests-4f1d0c7b9a8e6352"  # noqa: S105
FLOODED = {"LIMIT_SHIPMENT_PER_HOUR": "1000000"}
"""Few shipments get thousands of events here: the quota per shipment has its own test."""
READY_WITHIN_S = 40.0
END_WITHIN_S = 25.0
"""A supervisor kills after 20; the rest is for a busy machine."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """A token of a user who may report events."""
        return signed(SECRET, sub="driver_user_001", role="producer")

    @property
    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> float:
        """Wait until the process has exited successfully and return how long that took.

        Raises:
            TimeoutExpired: it did not within the time after which a supervisor kills.
        """
        started = time.monotonic()
        assert await asyncio.to_thread(self.process.wait, END_WITHIN_S) == 0
        return time.monotonic() - started

    async def health(self, path: str = "/health/ready") -> tuple[int, dict[str, str]]:
        """Return the status of a health route, and its checks; 0 if nobody responds."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
                return response.status, (await response.json())["checks"]
        except aiohttp.ClientError:
            return 0, {}

    async def is_ready(self) -> bool:
        return (await self.health())[0] == 200


@asynccontextmanager
async def service_process(
    site: Site,
    module: str,
    environment: Mapping[str, str] | None = None,
    *,
    seat: str | None = None,
    ready: bool = True,
) -> AsyncIterator[Service]:
    """Run a service while the context lasts; the context begins when it is ready, by default."""
    port = unused_port()
    named = site.environment(f"{module}-{port}", seat=seat)
    process = subprocess.Popen(  # noqa: ASYNC220  # it returns at once
        [sys.executable, "-m", module],
        env={**named, "PORT": str(port), "JWT_SECRET": SECRET, **FLOODED, **(environment or {})},
        stdin=subprocess.DEVNULL,
    )
    service = Service(process, port)
    try:
        if ready:
            await wait_for(service.is_ready, timeout_s=READY_WITHIN_S, what=f"{module} to be ready")
        yield service
    finally:
        process.kill()
        process.wait()
