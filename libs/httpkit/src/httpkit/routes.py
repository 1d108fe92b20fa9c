"""How routes are declared: each says which permission it asks for, or that it is public."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import SystemRoute

from domain.access.permissions import Permission
from httpkit.budgets import BUDGETS, Budget, default_budget
from httpkit.expect_continue import meet_expectation
from httpkit.response.errors import Handler

DECLARED: Final = web.AppKey("declared_permissions", dict[web.AbstractRoute, Permission | None])
ACCEPT_POST: Final = "Accept-Post"
ACCEPT_PATCH: Final = "Accept-Patch"
MAX_BYTES_HEADER: Final = "Waybill-Max-Bytes"
JSON_ROUTES: Final = web.AppKey("json_routes", set[web.AbstractRoute])
CONDITIONAL_ROUTES: Final = web.AppKey("conditional_routes", set[web.AbstractRoute])


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a service. GET answers HEAD too, and every path answers OPTIONS.

    Attributes:
        permission: what the caller's role must have; None: anyone may call it, without a token. There is no
            default, so that nobody makes a route public by forgetting a word.
        budget: what its requests are charged to, if not to what `default_budget` says.
        hints: headers that OPTIONS adds for this path, such as `Accept-Post`; with any, it also says how long
            a body may be.
        is_json: it answers with JSON, so that a request that takes none is 406. Not so for what is never to
            be refused, and for pages.
        is_conditional: a write that evaluates `If-Match` and `If-None-Match` by itself (`preconditions`).
    """

    method: str
    path: str
    handler: Handler
    permission: Permission | None
    budget: Budget | None = field(default=None, kw_only=True)
    hints: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    is_json: bool = field(default=True, kw_only=True)
    is_conditional: bool = field(default=False, kw_only=True)


class UndeclaredRoute(Exception):
    """A route was added past `add_routes`, so nobody has said who may call it."""


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Add declared routes to an app, and OPTIONS to each of their paths."""
    declared = app.setdefault(DECLARED, {})
    budgets = app.setdefault(BUDGETS, {})
    json_routes = app.setdefault(JSON_ROUTES, set())
    conditional_routes = app.setdefault(CONDITIONAL_ROUTES, set())
    for path, group in _by_path(routes).items():
        resource = app.router.add_resource(path)
        for route in group:
            for method in _methods(route):
                added = resource.add_route(method, route.handler, expect_handler=meet_expectation)
                declared[added] = route.permission
                budgets[added] = route.budget or default_budget(route.method, route.permission)
                if route.is_json:
                    json_routes.add(added)
                if route.is_conditional:
                    conditional_routes.add(added)
        options = _options_handler(resource, group)
        declared[resource.add_route(hdrs.METH_OPTIONS, options, expect_handler=meet_expectation)] = None


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


def _by_path(routes: Iterable[Route]) -> dict[str, list[Route]]:
    grouped: dict[str, list[Route]] = {}
    for route in routes:
        grouped.setdefault(route.path, []).append(route)
    return grouped


def _methods(route: Route) -> list[str]:
    return [route.method, hdrs.METH_HEAD] if route.method == hdrs.METH_GET else [route.method]


def _options_handler(resource: web.Resource, group: Iterable[Route]) -> Handler:
    hints = {name: value for route in group for name, value in route.hints}

    async def options(request: web.Request) -> web.Response:
        allow = ",".join(sorted(route.method for route in resource))
        limit = {MAX_BYTES_HEADER: str(request.client_max_size)} if hints else {}
        headers = {hdrs.ALLOW: allow, **hints, **limit}
        return web.Response(status=web.HTTPNoContent.status_code, headers=headers)

    return options
