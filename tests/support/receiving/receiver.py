"""A receiver on aiohttp that verifies each delivery, and answers as a test says."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request that arrived, at a path, with the headers of its signature; `at` by `time.monotonic`."""

    path: str
    message_id: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def type(self) -> str:
        return str(json.loads(self.body)["type"])

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    def verify(self, secret: str) -> None:
        Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[Received], web.Response | Awaitable[web.Response]]


class Receiver:
    """A server on loopback.

    Attributes:
        received: in the order of arrival.
        answers: what it does, by path; 204 for other paths.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: dict[str, Answer] = {}
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]

    async def has(self, count: int, *, path: str | None = None, timeout_s: float = 15.0) -> None:
        """Wait until so many requests have arrived."""
        await wait_until(
            lambda: len(self.received if path is None else self.at(path)) >= count,
            timeout_s=timeout_s,
            what=f"{count} deliveries",
        )

    async def handle(self, request: web.Request) -> web.Response:
        received = Received(
            path=request.path,
            message_id=request.headers["webhook-id"],
            headers=dict(request.headers),
            body=await request.read(),
            at=time.monotonic(),
        )
        self.received.append(received)
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response(status=204)
        response = answer(received)
        return response if isinstance(response, web.Response) else await response


def statuses(*codes: int, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer with these statuses one after the other; the last one from then on."""
    left = list(codes)

    def answer(_received: Received) -> web.Response:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0], headers=headers)

    return answer


async def never(_received: Received) -> web.Response:
    """Take the request, and never answer."""
    await asyncio.Event().wait()
    return web.Response()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    server = Receiver()
    app = web.Application()
    app.router.add_post("/{name:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()
