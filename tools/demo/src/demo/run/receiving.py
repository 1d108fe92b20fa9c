"""A receiver of webhooks, and an endpoint of its own: each message is verified, and counted by its id."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from demo.progress import Advance
from demo.run.api import Api
from domain.shipments.event_identity import EventId

_LOOPBACK: Final = "127.0.0.1"
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Received:
    """Messages of a run.

    Attributes:
        changes: changes that had to be told.
        told: number of those of which a message came.
        repeated: messages that came more often than once, under the same id.
        differences: a line for each change without a message or with several ids, and for messages that were
            not signed as they must be.
    """

    changes: int
    told: int
    repeated: int
    differences: list[str]


class Inbox:
    """Messages that have arrived."""

    def __init__(self) -> None:
        self._ids: Counter[str] = Counter()
        self._ids_of: dict[EventId, set[str]] = {}
        self._unsigned = 0
        self._verifier: asyncio.Future[Webhook] = asyncio.get_running_loop().create_future()

    def verify_with(self, secret: str) -> None:
        """Verify messages with this secret; those that came before wait for it."""
        self._verifier.set_result(Webhook(secret))

    async def receive(self, request: web.Request) -> web.Response:
        """Verify a message and count it."""
        body, verifier = await request.read(), await self._verifier
        try:
            message: Mapping[str, Any] = verifier.verify(body, dict(request.headers))
        except WebhookVerificationError:
            self._unsigned += 1
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        message_id = request.headers["webhook-id"]
        self._ids[message_id] += 1
        self._ids_of.setdefault(EventId(message["data"]["event"]["event_id"]), set()).add(message_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def expect(self, changes: Collection[EventId], advance: Advance, *, patience_s: float) -> Received:
        """Wait until a message of every one of `changes` has arrived, or for `patience_s`.

        Args:
            changes: ids of the applied events.
            advance: called for each one that has arrived.
            patience_s: longest wait.
        """
        missing = set(changes)
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            arrived = missing & self._ids_of.keys()
            missing -= arrived
            advance(len(arrived))
            if not missing or asyncio.get_running_loop().time() > deadline:
                return self._received(changes, missing)
            await asyncio.sleep(_POLL_S)

    def _received(self, changes: Collection[EventId], missing: Collection[EventId]) -> Received:
        several = [each for each in changes if len(self._ids_of.get(each, ())) > 1]
        differences = [
            *(f"{each}: applied, but no webhook came" for each in sorted(missing)),
            *(f"{each}: webhooks with {len(self._ids_of[each])} ids" for each in sorted(several)),
        ]
        if self._unsigned:
            differences.append(f"{self._unsigned:,} webhooks without a valid signature")
        return Received(
            changes=len(changes),
            told=len(changes) - len(missing),
            repeated=self._ids.total() - len(self._ids),
            differences=differences,
        )


@asynccontextmanager
async def receiving(api: Api) -> AsyncIterator[Inbox | None]:
    """Listen on this machine, for the changes of all shipments, while the context lasts.

    Yields None if the stack does not send to this machine, as one in containers.
    """
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/", inbox.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, _LOOPBACK, 0)
        await site.start()
        _, port, *_ = runner.addresses[0]
        await api.remove_endpoints()
        secret = await api.register_endpoint(f"http://{_LOOPBACK}:{port}/")
        if secret is None:
            yield None
            return
        inbox.verify_with(secret)
        try:
            yield inbox
        finally:
            await api.remove_endpoints()
    finally:
        await runner.cleanup()
