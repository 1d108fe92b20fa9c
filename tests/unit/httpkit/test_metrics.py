"""Metrics: by route and status, bounded in number."""

from aiohttp import web

from httpkit.routes import Route
from tests.unit.httpkit.conftest import Client, Serve


async def show(_request: web.Request) -> web.Response:
    return web.Response()


async def samples(client: Client) -> list[str]:
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    return (await response.text()).splitlines()


async def test_requests_are_counted_by_template(serve: Serve) -> None:
    client = await serve(Route("GET", "/shipments/{tracking_number}", show, None))
    for number in range(3):
        await client.get(f"/shipments/{number}")
    counted = 'http_requests_total{method="GET",route="/shipments/{tracking_number}",status="200"} 3.0'
    assert counted in await samples(client)


async def test_durations_are_observed(serve: Serve) -> None:
    client = await serve(Route("GET", "/", show, None))
    await client.get("/")
    counted = 'http_request_duration_seconds_count{method="GET",route="/",status="200"} 1.0'
    assert counted in await samples(client)


async def test_paths_and_methods_that_do_not_exist_share_one_label(serve: Serve) -> None:
    client = await serve(Route("GET", "/", show, None))
    for path in ("/a", "/b", "/c"):
        await client.get(path)
    await client.delete("/")
    lines = [line for line in await samples(client) if line.startswith("http_requests_total")]
    assert lines == [
        'http_requests_total{method="*",route="unmatched",status="404"} 3.0',
        'http_requests_total{method="*",route="unmatched",status="405"} 1.0',
    ]


async def test_failures_count_with_their_status(serve: Serve) -> None:
    async def fail(_request: web.Request) -> web.Response:
        raise KeyError

    client = await serve(Route("GET", "/", fail, None))
    await client.get("/")
    assert 'http_requests_total{method="GET",route="/",status="500"} 1.0' in await samples(client)


async def test_the_process_is_shown(serve: Serve) -> None:
    client = await serve()
    assert any(line.startswith("process_resident_memory_bytes") for line in await samples(client))
