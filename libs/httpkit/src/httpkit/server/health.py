"""Health routes: the state of the service's dependencies, checked at most once a second."""

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
    """State of a dependency or of a service; `degraded`: it works, only slower."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


Check = Callable[[], Awaitable[State]]
Ping = Callable[[], Awaitable[bool]]

_SEVERITY: Final = {State.OK: 0, State.DEGRADED: 1, State.DOWN: 2}


def ping_check(ping: Ping) -> Check:
    """Return a check that is up when `ping` returns true, and down when it returns false or raises."""

    async def check() -> State:
        return State.OK if await ping() else State.DOWN

    return check


class CheckGroup:
    """Checks that run together, each with its own deadline; their results are cached for a moment.

    A single response that is late is no outage: a check that was ok is down only if it fails twice in a row.
    """

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
        """Return the state of each dependency; blocks for the slowest check, at most twice its deadline."""
        async with self._lock:  # concurrent probes share this result
            if self._clock() >= self._good_until:
                states = await asyncio.gather(*(self._confirmed(name) for name in self._checks))
                self._states = dict(zip(self._checks, states, strict=True))
                self._good_until = self._clock() + self._remembered_s
            return self._states

    async def _confirmed(self, name: str) -> State:
        state = await self._run(name)
        was_ok = self._states.get(name, State.OK) is State.OK
        return await self._run(name) if was_ok and state is not State.OK else state

    async def _run(self, name: str) -> State:
        """Run a check; one that raises counts as down."""
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
    """Health of a service, as the gateway, Kubernetes and people see it."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        optional: Collection[str] = (),
        readiness: Mapping[str, Check] | None = None,
    ) -> None:
        """Take the checks.

        Args:
            checks: by name, as `/health` lists them. A check that raises, or takes longer than
                `CHECK_TIMEOUT_S`, has failed; one that is down makes the response 503.
            optional: names of those that the service works without: never worse than degraded.
            readiness: checks that must pass before traffic is sent here: in addition to the others, such as
                assigned partitions, or in place of the one of that name. `/health` may cover the whole
                system; a replica's readiness must not depend on anything that removing it does not fix.
        """
        self._checks = CheckGroup(checks, optional=optional)
        self._readiness = CheckGroup({**checks, **(readiness or {})}, optional=optional)

    def routes(self) -> list[Route]:
        """Return the routes of health, all public; they ignore `Accept`."""
        return [
            Route(hdrs.METH_GET, "/health", self._health, None, budget=Budget.EXEMPT, is_json=False),
            Route(
                hdrs.METH_POST,
                "/health",
                self._health,
                None,
                budget=Budget.EXEMPT,
                is_json=False,
                is_conditional=True,  # a POST that changes nothing: no precondition rejects it
            ),
            Route(hdrs.METH_GET, "/health/live", self._live, None, budget=Budget.EXEMPT, is_json=False),
            Route(hdrs.METH_GET, "/health/ready", self._ready, None, budget=Budget.EXEMPT, is_json=False),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return _health_response(await self._checks.states())

    async def _ready(self, _request: web.Request) -> web.Response:
        return _health_response(await self._readiness.states())

    async def _live(self, _request: web.Request) -> web.Response:
        return _health_response({})


def _health_response(states: Mapping[str, State]) -> web.Response:
    worst = max(states.values(), key=_SEVERITY.__getitem__, default=State.OK)
    body = {"status": worst, "timestamp": current_time(), "checks": states}
    status = web.HTTPServiceUnavailable.status_code if worst is State.DOWN else web.HTTPOk.status_code
    return json_response(body, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
