"""Budgets that requests are charged to."""

from enum import StrEnum
from typing import Final

from aiohttp import hdrs, web

from domain.access.permissions import Permission

_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


class Budget(StrEnum):
    """Budget of a request: the user's, or with ADDRESS, LOGIN and PUBLIC the address's."""

    ADDRESS = "address"
    EXEMPT = "exempt"
    INGEST = "ingest"
    LOGIN = "login"
    PUBLIC = "public"
    READS = "reads"


BUDGETS: Final = web.AppKey("budgets", dict[web.AbstractRoute, Budget])


def default_budget(method: str, permission: Permission | None) -> Budget:
    """Return the budget of a route that declares none, so that no route is unlimited by omission."""
    if permission is None:
        return Budget.ADDRESS
    return Budget.READS if method in _READING else Budget.INGEST


def budget_of(request: web.Request) -> Budget:
    """Return the budget of a request; without a route (404, 405), that of the caller's address."""
    return request.app[BUDGETS].get(request.match_info.route, Budget.ADDRESS)
