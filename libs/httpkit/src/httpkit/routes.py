"""Declarations of routes, each with its permission or marked as public."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import SystemRoute

from domain.access.permissions import Permission
from httpkit.budgets import BUDGETS, Budget, default_budget
from httpkit.expect_continue import handle_expectation
from httpkit.response.errors import Handler

DECLARED: Final = web.AppKey("declared_permissions", dict[web.AbstractRoute, Permission | None])
ACCEPT_POST: Final = "Accept-Post"
ACCEPT_PATCH: Final = "Accept-Patch"
MAX_BYTES_HEADER: Final = "Waybill-Max-Bytes"
JSON_ROUTES: Final = web.AppKey("json_routes", set[web.AbstractRoute])
CONDITIONAL_ROUTES: Final = web.AppKey("conditional_routes", set[web.AbstractRoute])


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a service. GET serves HEAD too, and every path serves OPTIONS.

    Attributes:
        permission: required of the caller's role; None: public, without a token. There is no default, so that
            no route becomes public by omission.
        budget: the budget of its requests, if not that of `default_budget`.
        hints: headers that OPTIONS adds for this path, such as `Accept-Post`; with any, it also sends the
            longest body.
        is_json: it returns JSON, so that a request whose `Accept` excludes it is 406. False for pages, and
            for routes that must never be rejected.
        is_conditional: a write that evaluates `If-Match` and `If-None-Match` itself (`preconditions`).
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
    """A route was added without `add_routes`, so it has no declared permission."""


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
                added = resource.add_route(method, route.handler, expect_handler=handle_expectation)
                declared[added] = route.permission
                budgets[added] = route.budget or default_budget(route.method, route.permission)
                if route.is_json:
                    json_routes.add(added)
                if route.is_conditional:
                    conditional_routes.add(added)
        options = _options_handler(resource, group)
        declared[resource.add_route(hdrs.METH_OPTIONS, options, expect_handler=handle_expectation)] = None


def require_declarations(app: web.Application) -> None:
    """Check that every route of an app is declared.

    Raises:
        UndeclaredRoute: some route has no declaration.
    """
    declared = app.get(DECLARED, {})
    undeclared = [str(route) for route in app.router.routes() if route not in declared]
    if undeclared:
        raise UndeclaredRoute(f"no permission declared: {', '.join(undeclared)}")


def permission_of(request: web.Request) -> Permission | None:
    """Return the permission of a request's route; None: it is public, or there is no such route (404, 405).

    Raises:
        UndeclaredRoute: the route declares no permission.
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
