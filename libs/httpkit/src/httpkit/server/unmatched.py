"""Early 404 and 405 responses to requests with `Expect`, before their body is requested."""

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import SystemRoute

from httpkit.expect_continue import handle_expectation


def reject_unmatched_early(app: web.Application) -> None:
    """Respond with 404 and 405 without `100 Continue`; call it after the last route is added.

    aiohttp's own route for these sends it at once, and accepts no other handler.
    """
    app.router.register_resource(_Unmatched(app.router))


class _UnmatchedRoute(SystemRoute):
    """aiohttp's route for unmatched requests, with our handling of `Expect`."""

    async def handle_expect_header(self, request: web.Request) -> web.StreamResponse | None:
        return await handle_expectation(request)


class _Unmatched(web.PlainResource):
    """The last resource, which every path is below; it matches only requests with `Expect`."""

    def __init__(self, router: web.UrlDispatcher) -> None:
        super().__init__("/")
        self._router = router

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        if hdrs.EXPECT not in request.headers:
            return None, set()
        allowed: set[str] = set()
        for resource in self._router.resources():
            if resource is not self:
                allowed |= (await resource.resolve(request))[1]
        error = web.HTTPMethodNotAllowed(request.method, allowed) if allowed else web.HTTPNotFound()
        return web.UrlMappingMatchInfo({}, _UnmatchedRoute(error)), set()
