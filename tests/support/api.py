"""A small typed client of Waybill's API, for tests: it sends, and shows exactly what came back."""

import asyncio
import gzip
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import cramjam
from multidict import CIMultiDictProxy

T = TypeVar("T")
Json = dict[str, Any]

PASSWORD = "password123"  # noqa: S105  # public: the seed of a development stack has it
REQUEST_TIMEOUT_S = 30
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Response:
    """A response: `raw` is the body as it was on the wire, possibly compressed."""

    status: int
    headers: CIMultiDictProxy[str]
    raw: bytes

    @property
    def text(self) -> str:
        return decoded(self.raw, self.headers.get("Content-Encoding")).decode()

    @property
    def body(self) -> Any:  # noqa: ANN401  # JSON
        return json.loads(self.text)


class Api:
    """Calls in the name of one user, or of nobody."""

    def __init__(self, session: aiohttp.ClientSession, token: str | None = None) -> None:
        self._session = session
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def by(self, token: str) -> "Api":
        """Return an API over the same connections with `token`."""
        return Api(self._session, token)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        data: bytes | io.BytesIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request, once, and return any response."""
        sent = {**self._headers, **(headers or {})}
        async with self._session.request(method, path, json=json, data=data, headers=sent) as response:
            return Response(response.status, response.headers, await response.read())

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Response:
        return await self.ask("POST", path, json=body, headers=headers)

    async def log_in(self, username: str, password: str = PASSWORD) -> str:
        response = await self.post("/auth/login", {"username": username, "password": password})
        return str(_expect(response, 200).body["token"])

    async def create(self, shipment: Json, *, key: str | None = None) -> Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.post("/shipments", shipment, headers=headers)

    async def created(self, shipment: Json) -> str:
        """Register a shipment and return its number once it exists."""
        return str(_expect(await self.create(shipment), 201).body["tracking_number"])

    async def reported(self, event: Json) -> str:
        """Send one event and return its id."""
        return str(_expect(await self.post("/events", event), 202).body["event_id"])

    async def batch_reported(self, events: Sequence[Json]) -> list[str]:
        """Send a batch and return the ids of its events."""
        response = _expect(await self.post("/events/batch", {"events": events}), 202)
        return [item["event_id"] for item in response.body["events"]]

    async def shipment(self, tracking_number: str) -> Json:
        found: Json = _expect(await self.get(f"/shipments/{tracking_number}"), 200).body
        return found

    async def event(self, event_id: str) -> Json | None:
        """Return the outcome of an event, None as long as there is none."""
        response = await self.get(f"/events/{event_id}")
        if response.status == 404:
            return None
        found: Json = _expect(response, 200).body
        return found

    async def outcome(self, event_id: str, *, within_s: float = 10.0) -> Json:
        """Wait until an event has an outcome, and return it."""
        return await eventually(lambda: self.event(event_id), within_s=within_s)

    async def counted(self, event_id: str, *, times: int, within_s: float = 10.0) -> Json:
        """Wait until an event has been seen so often, in any role, and return it."""

        async def all_seen() -> Json | None:
            event = await self.event(event_id)
            return event if event is not None and times_seen(event) >= times else None

        return await eventually(all_seen, within_s=within_s)


def decoded(raw: bytes, encoding: str | None) -> bytes:
    """Return a body without its content coding."""
    if encoding == "zstd":
        return bytes(cramjam.zstd.decompress(raw))
    return gzip.decompress(raw) if encoding == "gzip" else raw


def times_seen(event: Json) -> int:
    """Return how many records of the log an event has accounted for."""
    return int(event["attempts"] + event["duplicates"] + event["conflicts"])


@asynccontextmanager
async def open_api(base_url: str) -> AsyncIterator[Api]:
    """Open connections without a token; bodies stay as they come, compressed only if a test asks."""
    async with aiohttp.ClientSession(
        base_url,
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding",),
        connector=aiohttp.TCPConnector(limit=200),
        timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
    ) as session:
        yield Api(session)


async def eventually(ask: Callable[[], Awaitable[T | None]], *, within_s: float = 10.0) -> T:
    """Ask until there is a response and return it.

    Raises:
        TimeoutError: there is none within `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while (response := await ask()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer within {within_s:g} s")
        await asyncio.sleep(POLL_S)
    return response


def _expect(response: Response, status: int) -> Response:
    assert response.status == status, f"{response.status}, not {status}: {response.text}"
    return response
