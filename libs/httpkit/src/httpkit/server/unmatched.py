"""What no route matches, for those who send `Expect`: refused before their body is asked for."""

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import SystemRoute

from httpkit.expect_continue import meet_expectation


def refuse_unmatched_early(app: web.Application) -> None:
    """Answer 404 and 405 without `100 Continue`: call it after the last route is added.

    aiohttp's own route of these sends it at once, and takes no other handler.
    """
    app.router.register_resource(_Unmatched(app.router))


class _UnmatchedRoute(SystemRoute):
    """As aiohttp's own, except for what it does with `Expect`."""

    async def handle_expect_header(self, request: web.Request) -> web.StreamResponse | None:
        return await meet_expectation(request)


class _Unmatched(web.PlainResource):
    """The last resource, below which every path is. It has no routes, and no word without `Expect`."""

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
        refusal = web.HTTPMethodNotAllowed(request.method, allowed) if allowed else web.HTTPNotFound()
        return web.UrlMappingMatchInfo({}, _UnmatchedRoute(refusal)), set()
