"""Fair use: each request is charged to the budget of its route, by user, or by address for want of one.

Responses say what is left (draft-ietf-httpapi-ratelimit-headers): `RateLimit-Policy` and `RateLimit`, and
`Retry-After` with a refusal.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import hdrs, web

from domain.access.rate_limit import Grant, Quota
from domain.errors import ErrorCode
from domain.ports.core import RateLimiter
from httpkit.budgets import Budget, budget_of
from httpkit.middleware.auth import PRINCIPAL
from httpkit.request.addresses import client_address
from httpkit.request.bodies import Meter
from httpkit.response.errors import ApiError, Handler
from httpkit.settings import LimitSettings

LIMITER: Final = web.AppKey("rate_limiter", RateLimiter)
POLICY: Final = "RateLimit-Policy"
STATE: Final = "RateLimit"
_MINUTE_S: Final = 60
_PARTS_OF_A_MINUTE: Final = 6
UNIT_BYTES: Final = 4_096
"""As much of a body counts as one request. An event takes 110 bytes and more, so that bounds events too."""

_CHARGED: Final = web.RequestKey("charged", tuple[Quota, Grant])
_STRANGERS: Final = frozenset({ErrorCode.AUTHENTICATION_REQUIRED, ErrorCode.INVALID_TOKEN})
_BY_ADDRESS: Final = frozenset({Budget.ADDRESS, Budget.LOGIN})


def quotas(settings: LimitSettings) -> Mapping[Budget, Quota]:
    """Return the quota of each budget."""
    return {
        Budget.ADDRESS: Quota(Budget.ADDRESS, settings.address_per_s, 1),
        Budget.INGEST: Quota(Budget.INGEST, settings.ingest_per_s, 1),
        Budget.LOGIN: _of_a_minute(Budget.LOGIN, settings.login_per_min),
        Budget.READS: Quota(Budget.READS, settings.reads_per_s, 1),
    }


def _of_a_minute(name: str, limit: int) -> Quota:
    """Return a quota that is not spent in one burst, if it is large enough to be divided."""
    if limit < _PARTS_OF_A_MINUTE:
        return Quota(name, limit, _MINUTE_S)
    return Quota(name, limit // _PARTS_OF_A_MINUTE, _MINUTE_S // _PARTS_OF_A_MINUTE)


def limit_middleware(settings: LimitSettings) -> Callable[..., Any]:
    """Return the middleware that charges requests, once it is known who asks.

    An app without a `LIMITER` has no limits; the services set it when they start.
    """
    shares = quotas(settings)

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        budget = budget_of(request)
        if budget is not Budget.EXEMPT:
            await _charge(request, budget, shares[budget])
        return await handler(request)

    return limit


def body_meter(settings: LimitSettings) -> Meter:
    """Return what charges bodies to the budgets of their routes: one request for each `UNIT_BYTES`.

    The first of them is paid with the request itself. Together they never cost more than all of a budget.
    """
    shares = quotas(settings)

    async def charge(request: web.Request, length: int) -> None:
        budget = budget_of(request)
        if budget is Budget.EXEMPT:
            return
        quota = shares[budget]
        units = min((length - 1) // UNIT_BYTES, quota.limit - 1)
        if units > 0:
            await _charge(request, budget, quota, wanted=units)

    return charge


def stranger_middleware(settings: LimitSettings) -> Callable[..., Any]:
    """Return the middleware that charges refused tokens to the address they come from."""
    share = quotas(settings)[Budget.ADDRESS]

    @web.middleware
    async def limit_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ApiError as error:
            if error.code in _STRANGERS:
                await _charge(request, Budget.ADDRESS, share)
            raise

    return limit_strangers


async def show_limits(request: web.Request, response: web.StreamResponse) -> None:
    """Tell the caller of its budget: a signal, so that errors tell it too."""
    charged = request.get(_CHARGED)
    if charged is not None:
        quota, grant = charged
        response.headers[POLICY] = f'"{quota.name}";q={quota.limit};w={quota.window_s}'
        response.headers[STATE] = f'"{quota.name}";r={grant.remaining};t={math.ceil(grant.reset_after_s)}'


async def _charge(request: web.Request, budget: Budget, quota: Quota, *, wanted: int = 1) -> None:
    limiter = request.app.get(LIMITER)
    if limiter is None:
        return
    who = None if budget in _BY_ADDRESS else request.get(PRINCIPAL)
    caller = client_address(request) if who is None else who.subject
    grant = await limiter.take(f"{budget}:{caller}", quota, wanted=wanted)
    request[_CHARGED] = quota, grant
    if grant.granted < wanted:
        wait_s = max(1, math.ceil(grant.retry_after_s))
        raise ApiError(
            ErrorCode.RATE_LIMITED,
            f"more than {quota.limit} requests in {quota.window_s} s: come again in {wait_s} s",
            headers={hdrs.RETRY_AFTER: str(wait_s)},
        )
