"""One HTTP exchange with the stack, retried until there is a response: every request is safe to resend.

Creations carry an `Idempotency-Key` and events their identity, so a request whose response was lost may
be repeated; repetitions are counted, because the stack may count them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import aiohttp

from demo.errors import NotAnswering, NotRunning, Refused

_BUSY: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_LOST: Final = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
_DEFAULT_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Response:
    """Final response of the stack.

    Attributes:
        took_s: time of the exchange that got the response, without those before it.
        unsure: earlier exchanges that the stack may have acted upon all the same.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    took_s: float
    unsure: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send."""

    method: str
    path: str
    json: Mapping[str, object] | None = None
    headers: Mapping[str, str] | None = None


class Gateway:
    """Client of the stack's gateway.

    Args:
        session: connections, with the caller's token.
        patience_s: time limit for retries of one request.
    """

    def __init__(self, session: aiohttp.ClientSession, *, url: str, patience_s: float = 60.0) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._patience_s = patience_s

    async def check_reachable(self) -> None:
        """Check that something listens.

        Raises:
            NotRunning: nothing listens.
        """
        try:
            await self._exchange(Request("GET", "/health/live"))
        except aiohttp.ClientConnectorError as exc:
            raise NotRunning(f"nothing listens at {self._url}: start it first: make run") from exc
        except _LOST:
            pass  # somebody listens: whether it answers in time is for the first real request to say

    async def ask(self, request: Request) -> Response:
        """Send `request` until there is a response.

        Raises:
            NotAnswering: no response within `patience_s`.
        """
        deadline = perf_counter() + self._patience_s
        unsure = 0
        while True:
            sent_at = perf_counter()
            try:
                status, headers, body = await self._exchange(request)
            except _LOST as exc:
                trouble, pause_s = f"{type(exc).__name__}", _DEFAULT_PAUSE_S
                unsure += not isinstance(exc, aiohttp.ClientConnectorError)
            else:
                if status not in _BUSY:
                    return Response(status, body, headers, perf_counter() - sent_at, unsure)
                trouble, pause_s = f"status {status}", _pause_s(headers)
                unsure += status != HTTPStatus.TOO_MANY_REQUESTS
            if perf_counter() + pause_s > deadline:
                raise NotAnswering(
                    f"{self._url} did not take {request.method} {request.path} "
                    f"for {self._patience_s:.0f} s ({trouble}): see the stack's logs"
                )
            await asyncio.sleep(pause_s)

    async def _exchange(self, request: Request) -> tuple[int, Mapping[str, str], Mapping[str, Any]]:
        async with self._session.request(
            request.method, self._url + request.path, json=request.json, headers=request.headers
        ) as response:
            is_json = "json" in response.content_type
            return response.status, response.headers, await response.json() if is_json else {}


def refused(request: Request, response: Response) -> Refused:
    """Return the error to raise for an unexpected response to `request`."""
    said = response.body.get("message") or response.body.get("error") or "no message"
    return Refused(f"{request.method} {request.path} was answered {response.status}: {said}")


def _pause_s(headers: Mapping[str, str]) -> float:
    wish = headers.get("Retry-After", "")
    return min(float(wish), _LONGEST_PAUSE_S) if wish.isascii() and wish.isdigit() else _DEFAULT_PAUSE_S
