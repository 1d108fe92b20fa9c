"""Rate limits: each request is charged to the budget of its route, by user, or by address without one.

Responses carry the remaining budget (draft-ietf-httpapi-ratelimit-headers): `RateLimit-Policy` and
`RateLimit`, and `Retry-After` with a rejection.

A request of the public budget is charged as one that finds nothing, and gets the difference back unless its
response is 404. So an address that guesses is stopped before it has its last answers, not after.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from aiohttp import hdrs, web

from domain.access.rate_limit import Grant, Quota, give_back, grant_of
from domain.ports.core import RateLimiter
from httpkit.budgets import Budget, budget_of
from httpkit.middleware.auth import PRINCIPAL
from httpkit.request.addresses import client_address
from httpkit.request.bodies import Meter
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Handler
from httpkit.settings import LimitSettings

LIMITER: Final = web.AppKey("rate_limiter", RateLimiter)
POLICY: Final = "RateLimit-Policy"
STATE: Final = "RateLimit"
_MINUTE_S: Final = 60
_PARTS_OF_A_MINUTE: Final = 6
UNIT_BYTES: Final = 4_096
"""Bytes of a body that count as one request. An event takes at least 110, so this bounds events too."""

MISS_COST: Final = 10
"""Requests that one with a public route and the response 404 counts as."""

_CHARGED: Final = web.RequestKey("charged", tuple[Quota, Grant])
_REJECTED_TOKENS: Final = frozenset({ErrorCode.AUTHENTICATION_REQUIRED, ErrorCode.INVALID_TOKEN})
_BY_ADDRESS: Final = frozenset({Budget.ADDRESS, Budget.LOGIN, Budget.PUBLIC})
_COSTS: Final = MappingProxyType({Budget.PUBLIC: MISS_COST})


def quotas(settings: LimitSettings) -> Mapping[Budget, Quota]:
    """Return the quota of each budget."""
    return {
        Budget.ADDRESS: Quota(Budget.ADDRESS, settings.address_per_s, 1),
        Budget.INGEST: Quota(Budget.INGEST, settings.ingest_per_s, 1),
        Budget.LOGIN: _of_a_minute(Budget.LOGIN, settings.login_per_min),
        Budget.PUBLIC: Quota(Budget.PUBLIC, settings.public_per_min, _MINUTE_S),
        Budget.READS: Quota(Budget.READS, settings.reads_per_s, 1),
    }


def _of_a_minute(name: str, limit: int) -> Quota:
    """Return a quota per minute, divided into shorter windows if it is large enough, to limit bursts."""
    if limit < _PARTS_OF_A_MINUTE:
        return Quota(name, limit, _MINUTE_S)
    return Quota(name, limit // _PARTS_OF_A_MINUTE, _MINUTE_S // _PARTS_OF_A_MINUTE)


def limit_middleware(settings: LimitSettings) -> Callable[..., Any]:
    """Return the middleware that charges requests, after authentication.

    An app without a `LIMITER` has no limits; the services set it when they start.
    """
    by_budget = quotas(settings)

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        budget = budget_of(request)
        if budget is not Budget.EXEMPT:
            await _charge(request, budget, by_budget[budget], wanted=_COSTS.get(budget, 1))
        return await handler(request)

    return limit


def body_meter(settings: LimitSettings) -> Meter:
    """Return the meter that charges bodies to the budgets of their routes: one request per `UNIT_BYTES`.

    The first unit is paid with the request itself. A body never costs more than the whole budget.
    """
    by_budget = quotas(settings)

    async def charge(request: web.Request, length: int) -> None:
        budget = budget_of(request)
        if budget is Budget.EXEMPT:
            return
        quota = by_budget[budget]
        units = min((length - 1) // UNIT_BYTES, quota.limit - 1)
        if units > 0:
            await _charge(request, budget, quota, wanted=units)

    return charge


def rejected_token_middleware(settings: LimitSettings) -> Callable[..., Any]:
    """Return the middleware that charges rejected tokens to the client's address."""
    quota = quotas(settings)[Budget.ADDRESS]

    @web.middleware
    async def charge_rejected_tokens(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            if error.code in _REJECTED_TOKENS:
                await _charge(request, Budget.ADDRESS, quota)
            raise

    return charge_rejected_tokens


async def add_limit_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give back what the response does not cost, and add the headers of the caller's budget.

    A signal, so that errors carry them too, and streams when they begin.
    """
    charged = request.get(_CHARGED)
    if charged is not None:
        quota, grant = charged
        if quota.name == Budget.PUBLIC and grant.granted and response.status != web.HTTPNotFound.status_code:
            grant = await _give_back(request, quota, grant)
        response.headers[POLICY] = f'"{quota.name}";q={quota.limit};w={quota.window_s}'
        response.headers[STATE] = f'"{quota.name}";r={grant.remaining};t={math.ceil(grant.reset_after_s)}'


async def _give_back(request: web.Request, quota: Quota, grant: Grant) -> Grant:
    amount = grant.granted - 1
    await request.app[LIMITER].give_back(_key(request, Budget.PUBLIC), quota, amount)
    backlog_us = give_back(quota, backlog_us=round(grant.reset_after_s * 1_000_000), amount=amount)
    return grant_of(quota, granted=1, backlog_us=backlog_us)


async def _charge(request: web.Request, budget: Budget, quota: Quota, *, wanted: int = 1) -> None:
    limiter = request.app.get(LIMITER)
    if limiter is None:
        return
    grant = await limiter.take(_key(request, budget), quota, wanted=wanted)
    request[_CHARGED] = quota, grant
    if grant.granted < wanted:
        wait_s = max(1, math.ceil(grant.retry_after_s))
        raise ApiError(
            ErrorCode.RATE_LIMITED,
            f"more than {quota.limit} requests in {quota.window_s} s: come again in {wait_s} s",
            headers={hdrs.RETRY_AFTER: str(wait_s)},
        )


def _key(request: web.Request, budget: Budget) -> str:
    user = None if budget in _BY_ADDRESS else request.get(PRINCIPAL)
    return f"{budget}:{client_address(request) if user is None else user.subject}"
