"""Budgets: what the requests of a route are charged to."""

from enum import StrEnum
from typing import Final

from aiohttp import hdrs, web

from domain.access.permissions import Permission

_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


class Budget(StrEnum):
    """What a request is charged to: the user's, or with ADDRESS and LOGIN the address's."""

    ADDRESS = "address"
    EXEMPT = "exempt"
    INGEST = "ingest"
    LOGIN = "login"
    READS = "reads"


BUDGETS: Final = web.AppKey("budgets", dict[web.AbstractRoute, Budget])


def default_budget(method: str, permission: Permission | None) -> Budget:
    """Return what a route is charged to that does not say: none is without a budget by forgetting a word."""
    if permission is None:
        return Budget.ADDRESS
    return Budget.READS if method in _READING else Budget.INGEST


def budget_of(request: web.Request) -> Budget:
    """Return what a request is charged to; where there is no route (404, 405), the caller's address."""
    return request.app[BUDGETS].get(request.match_info.route, Budget.ADDRESS)
