"""One HTTP exchange with the stack, sent again until it is answered: resending is always safe here.

Creations carry an `Idempotency-Key` and events their identity, so a request whose answer was lost may simply
be repeated; how often that happened is kept, because such a repetition may be counted by the stack.
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
class Answer:
    """What the stack answered in the end.

    Attributes:
        took_s: time of the exchange that was answered, without those before it.
        unsure: earlier exchanges that the stack may have acted upon all the same.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    took_s: float
    unsure: int


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask."""

    method: str
    path: str
    json: Mapping[str, object] | None = None
    headers: Mapping[str, str] | None = None


class Gateway:
    """The stack's front door.

    Args:
        session: where to connect, and as whom.
        patience_s: how long one request may be sent again and again.
    """

    def __init__(self, session: aiohttp.ClientSession, *, url: str, patience_s: float = 60.0) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._patience_s = patience_s

    async def knock(self) -> None:
        """Check that something listens.

        Raises:
            NotRunning: nothing does.
        """
        try:
            await self._exchange(Request("GET", "/health/live"))
        except aiohttp.ClientConnectorError as exc:
            raise NotRunning(f"nothing listens at {self._url}: start it first: make run") from exc
        except _LOST:
            pass  # somebody listens: whether it answers in time is for the first real request to say

    async def ask(self, request: Request) -> Answer:
        """Send `request` until it is answered.

        Raises:
            NotAnswering: it was not, for as long as patience lasts.
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
                    return Answer(status, body, headers, perf_counter() - sent_at, unsure)
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


def refused(request: Request, answer: Answer) -> Refused:
    """Return the error to raise for an answer that `request` should not get."""
    said = answer.body.get("message") or answer.body.get("error") or "no message"
    return Refused(f"{request.method} {request.path} was answered {answer.status}: {said}")


def _pause_s(headers: Mapping[str, str]) -> float:
    wish = headers.get("Retry-After", "")
    return min(float(wish), _LONGEST_PAUSE_S) if wish.isascii() and wish.isdigit() else _DEFAULT_PAUSE_S
