"""How routes are declared: each says which permission it asks for, or that it is public."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import SystemRoute

from domain.permissions import Permission
from httpkit.budgets import BUDGETS, Budget, default_budget
from httpkit.errors import Handler

DECLARED: Final = web.AppKey("declared_permissions", dict[web.AbstractRoute, Permission | None])


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a service. GET answers HEAD too.

    Attributes:
        permission: what the caller's role must have; None: anyone may call it, without a token. There is no
            default, so that nobody makes a route public by forgetting a word.
        budget: what its requests are charged to, if not to what `default_budget` says.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission | None
    budget: Budget | None = field(default=None, kw_only=True)


class UndeclaredRoute(Exception):
    """A route was added past `add_routes`, so nobody has said who may call it."""


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Add declared routes to an app."""
    declared = app.setdefault(DECLARED, {})
    budgets = app.setdefault(BUDGETS, {})
    for route in routes:
        methods = [route.method, hdrs.METH_HEAD] if route.method == hdrs.METH_GET else [route.method]
        for method in methods:
            added = app.router.add_route(method, route.path, route.handler)
            declared[added] = route.permission
            budgets[added] = route.budget or default_budget(route.method, route.permission)


def require_declarations(app: web.Application) -> None:
    """Look every route of an app up among the declared ones.

    Raises:
        UndeclaredRoute: some route has no declaration.
    """
    declared = app.get(DECLARED, {})
    undeclared = [str(route) for route in app.router.routes() if route not in declared]
    if undeclared:
        raise UndeclaredRoute(f"no permission declared: {', '.join(undeclared)}")


def permission_of(request: web.Request) -> Permission | None:
    """Return what the route of a request asks for; None: nothing, or there is no such route (404, 405).

    Raises:
        UndeclaredRoute: nobody has said who may call the route.
    """
    route = request.match_info.route
    try:
        return request.app[DECLARED][route]
    except KeyError:
        if isinstance(route, SystemRoute):
            return None
        raise UndeclaredRoute(f"no permission declared: {route}") from None
