"""The least that an aiohttp server can do with an event: read the body and return 202 with JSON.

The baseline of a single POST to Waybill; `bench.single` starts it.
"""

import sys

import uvloop
from aiohttp import web


async def accept(request: web.Request) -> web.Response:
    """Accept any request."""
    await request.read()
    return web.json_response({"status": "queued", "message": "Event accepted for processing"}, status=202)


def main() -> None:
    """Serve on the port given as argument."""
    app = web.Application()
    app.router.add_post("/events", accept)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
