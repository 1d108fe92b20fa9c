"""Health: what the service depends on, asked at most once a second however often it is probed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import StrEnum
from typing import Final

import structlog
from aiohttp import hdrs, web

from httpkit.budgets import Budget
from httpkit.response.json_responses import current_time, json_response
from httpkit.routes import Route

CHECK_TIMEOUT_S: Final = 2.0
REMEMBERED_S: Final = 1.0

_log = structlog.get_logger(__name__)


class State(StrEnum):
    """How a dependency is. Degraded: the service works without it, only slower."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


Check = Callable[[], Awaitable[State]]
Ping = Callable[[], Awaitable[bool]]

_SEVERITY: Final = {State.OK: 0, State.DEGRADED: 1, State.DOWN: 2}


def answering(ping: Ping) -> Check:
    """Return the check of something that either answers or does not; raising is no answer."""

    async def check() -> State:
        return State.OK if await ping() else State.DOWN

    return check


class CheckGroup:
    """Checks that are run together, each with its own deadline, and remembered for a moment."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        optional: Collection[str] = (),
        timeout_s: float = CHECK_TIMEOUT_S,
        remembered_s: float = REMEMBERED_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = dict(checks)
        self._optional = frozenset(optional)
        self._timeout_s = timeout_s
        self._remembered_s = remembered_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._states: dict[str, State] = {}
        self._good_until = float("-inf")

    async def states(self) -> dict[str, State]:
        """Return the state of each dependency; waits for the slowest check, at most its deadline."""
        async with self._lock:  # probes that come meanwhile share this answer
            if self._clock() >= self._good_until:
                answers = await asyncio.gather(*(self._run(name) for name in self._checks))
                self._states = dict(zip(self._checks, answers, strict=True))
                self._good_until = self._clock() + self._remembered_s
            return self._states

    async def _run(self, name: str) -> State:
        """Whatever a check raises is an answer too: what it asks for is not there."""
        (outcome,) = await asyncio.gather(self._within_deadline(name), return_exceptions=True)
        if isinstance(outcome, Exception):
            _log.warning("health_check_failed", check=name, error=repr(outcome))
            outcome = State.DOWN
        if isinstance(outcome, BaseException):
            raise outcome
        return State.DEGRADED if outcome is State.DOWN and name in self._optional else outcome

    async def _within_deadline(self, name: str) -> State:
        async with asyncio.timeout(self._timeout_s):
            return await self._checks[name]()


class Health:
    """What a service shows of itself to the gateway, to Kubernetes and to people."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        optional: Collection[str] = (),
        readiness: Mapping[str, Check] | None = None,
    ) -> None:
        """Take the checks.

        Args:
            checks: by name, as they stand in `/health`. A check that raises, or is not done after
                `CHECK_TIMEOUT_S`, means down, and any of them down is 503.
            optional: names of those that the service works without: never worse than degraded.
            readiness: what must not be down before traffic is sent here: beside the checks, such as assigned
                partitions, or in place of the one of that name. `/health` may ask for the whole system;
                a replica's readiness must not depend on what taking it out of service does not mend.
        """
        self._checks = CheckGroup(checks, optional=optional)
        self._readiness = CheckGroup({**checks, **(readiness or {})}, optional=optional)

    def routes(self) -> list[Route]:
        """Return the routes of health, all public; no `Accept` keeps anybody from asking."""
        return [
            Route(hdrs.METH_GET, "/health", self._health, None, budget=Budget.EXEMPT, is_json=False),
            Route(
                hdrs.METH_POST,
                "/health",
                self._health,
                None,
                budget=Budget.EXEMPT,
                is_json=False,
                is_conditional=True,  # a POST that changes nothing: no condition refuses it
            ),
            Route(hdrs.METH_GET, "/health/live", self._live, None, budget=Budget.EXEMPT, is_json=False),
            Route(hdrs.METH_GET, "/health/ready", self._ready, None, budget=Budget.EXEMPT, is_json=False),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return _answer(await self._checks.states())

    async def _ready(self, _request: web.Request) -> web.Response:
        return _answer(await self._readiness.states())

    async def _live(self, _request: web.Request) -> web.Response:
        return _answer({})


def _answer(states: Mapping[str, State]) -> web.Response:
    worst = max(states.values(), key=_SEVERITY.__getitem__, default=State.OK)
    body = {"status": worst, "timestamp": current_time(), "checks": states}
    status = web.HTTPServiceUnavailable.status_code if worst is State.DOWN else web.HTTPOk.status_code
    return json_response(body, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
