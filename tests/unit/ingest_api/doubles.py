"""The service on a log in memory, with an inbox that a test fills with the processor's replies."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import SecretStr

from domain.access.permissions import Principal, Role
from domain.ports.core import Reply
from domain.shipments.event_identity import creation_event_id
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from httpkit.middleware.auth import TokenIssuer, TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.server.app_server import build_app
from httpkit.server.health import Health
from httpkit.settings import AuthSettings, HttpSettings
from ingest_api.handlers.post_events import CLOCK, COMMAND_LOG, SUBMITTER
from ingest_api.handlers.replays import REPLAYER
from ingest_api.handlers.shipment_writes import CHANGER, CREATOR, DEFAULT_WAIT_S
from ingest_api.routes import ROUTES
from ingest_api.use_cases.shipment_changes import ShipmentChanger
from ingest_api.use_cases.shipment_creation import ShipmentCreator
from ingest_api.use_cases.submission import CommandSubmitter
from servicekit.settings import Environment
from tests.support.builders import NOON, NUMBER
from tests.support.fakes import (
    FixedClock,
    InMemoryCommandLog,
    InMemoryDeadLetterReplayer,
    InMemoryReplyInbox,
)

AUTH = AuthSettings(env=Environment.PRODUCTION, jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2))
HTTP = HttpSettings(port=0, body_timeout_s=0.5, shutdown_timeout_s=0.3)

ADMIN = Principal("admin_user", Role.ADMIN)
CLIENT = Principal("client_user_001", Role.CLIENT, "client_001")
DRIVER = Principal("driver_user_001", Role.PRODUCER)


@dataclass(frozen=True, slots=True)
class Says:
    """The processor's reply to the next event."""

    outcome: str = "applied"
    reason: RejectionReason | None = None
    client_id: str | None = "client_001"
    timestamp: datetime = NOON
    status: Status | None = None
    version: int | None = None
    current_status: Status | None = None
    held_until: datetime | None = None


class ScriptedInbox(InMemoryReplyInbox):
    """Inbox that returns the replies of `script` in order (None: no reply), then `applied`."""

    def __init__(self) -> None:
        super().__init__()
        self.script: deque[Says | None] = deque()

    @contextmanager
    def expect(self) -> Iterator[tuple[str, asyncio.Future[Reply]]]:
        says = self.script.popleft() if self.script else Says()
        with super().expect() as (address, future):
            if says is not None:
                future.set_result(Reply(event_id=creation_event_id(NUMBER), **asdict(says)))
            yield address, future

    @property
    def waiting(self) -> int:
        return len(self.replies.waiting)


@dataclass
class Ingest:
    """The service and its doubles."""

    log: InMemoryCommandLog = field(default_factory=InMemoryCommandLog)
    inbox: ScriptedInbox = field(default_factory=ScriptedInbox)
    clock: FixedClock = field(default_factory=FixedClock)
    replayer: InMemoryDeadLetterReplayer = field(default_factory=InMemoryDeadLetterReplayer)
    entropy: deque[bytes] = field(default_factory=deque)
    client: TestClient[web.Request, web.Application] = field(init=False)

    def app(self) -> web.Application:
        """Build the service as `ingest_api.app` does."""
        app = build_app(
            HTTP, ROUTES, health=Health({}), registry=new_registry("test"), verifier=TokenVerifier(AUTH)
        )
        awaited = CommandSubmitter(self.log, self.inbox)
        app[DEFAULT_WAIT_S] = 0.05
        app[REPLAYER] = self.replayer
        app[CLOCK] = self.clock
        app[COMMAND_LOG] = self.log
        app[SUBMITTER] = awaited
        app[CREATOR] = ShipmentCreator(awaited, self.clock, entropy=self._next)
        app[CHANGER] = ShipmentChanger(awaited, self.clock)
        return app

    async def post(
        self, path: str, body: object, *, caller: Principal | None = ADMIN, **headers: str
    ) -> "HttpResponse":
        """Send a POST; see `ask`."""
        return await self.ask("POST", path, body, caller=caller, **headers)

    async def ask(
        self, method: str, path: str, body: object = b"", *, caller: Principal | None = ADMIN, **headers: str
    ) -> "HttpResponse":
        """Send a request; header names have underscores for dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if caller is not None:
            sent["Authorization"] = f"Bearer {TokenIssuer(AUTH).issue(caller)}"
        raw = body if isinstance(body, bytes) else None
        async with self.client.request(
            method,
            path,
            data=None if raw is None else BytesIO(raw),
            json=None if raw is not None else body,
            headers={"Content-Type": "application/json", **sent},
        ) as response:
            return HttpResponse(response.status, await response.json(), dict(response.headers))

    def _next(self, count: int) -> bytes:
        return self.entropy.popleft() if self.entropy else bytes(range(count))


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response of the service."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def pointers(self) -> list[str]:
        """The pointers of the faults, in order."""
        return [detail["pointer"] for detail in self.body.get("details", [])]
