"""Truth of readiness: per service, for each dependency that can be away."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support.builders import creation, number
from tests.support.ingest import renewing_ended_tokens
from tests.support.proxy import Proxy, mongo_uri_of
from tests.support.services import Service, service_process
from tests.support.site import Site
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(180)]

WELL = {"cache": "ok", "database": "ok", "event_queue": "ok"}
Expected = dict[str, tuple[int, dict[str, str]]]
EXPECTED: dict[str, Expected] = {
    "ingest_api": {
        "kafka": (503, {"event_queue": "down"}),
        "redis": (200, {"cache": "degraded"}),
        "nothing": (200, {}),
    },
    "processor": {
        "mongodb": (503, {"database": "down"}),
        "kafka": (503, {"event_queue": "down"}),
        "redis": (200, {"cache": "degraded"}),
        "nothing": (200, {}),
    },
    "query_api": {
        "mongodb": (503, {"database": "down"}),
        "kafka": (503, {"event_queue": "down"}),
        "redis": (200, {"cache": "degraded"}),
        "nothing": (200, {}),
    },
}
HEALTHY = {
    "ingest_api": {"cache": "ok", "event_queue": "ok"},
    "processor": WELL | {"partitions": "ok"},
    "query_api": WELL,
}


@pytest.mark.parametrize(
    "module",
    ["ingest_api", *(pytest.param(each, marks=pytest.mark.long) for each in ("processor", "query_api"))],
)
async def test_readiness_reports_a_missing_dependency_and_its_return(
    module: str, site: Site, kafka_proxy: Proxy, mongo_proxy: Proxy, redis_proxy: Proxy
) -> None:
    links = {
        "KAFKA_BROKERS": kafka_proxy.address,
        "MONGO_URI": mongo_uri_of(mongo_proxy),
        "REDIS_ADDR": redis_proxy.address,
    }
    proxies = {"kafka": kafka_proxy, "mongodb": mongo_proxy, "redis": redis_proxy}
    async with (
        renewing_ended_tokens(site),
        service_process(site, module, links) as service,
    ):
        for away, (status, checks) in EXPECTED[module].items():
            if away in proxies:
                proxies[away].cut()
            await says(service, status, HEALTHY[module] | checks, f"{module} without {away}")
            assert (await service.health("/health/live"))[0] == 200
            if away in proxies:
                proxies[away].heal()
            await says(service, 200, HEALTHY[module], f"{module} with {away} again")


async def says(service: Service, status: int, checks: dict[str, str], what: str) -> None:
    last: list[object] = []

    async def asked() -> bool:
        last[:] = [await service.health()]
        return last[0] == (status, checks)

    try:
        await wait_for(asked, timeout_s=40, what=what)
    except TimeoutError:
        assert last[0] == (status, checks), what


@pytest.mark.long
async def test_a_processor_is_ready_when_it_has_its_partitions_and_not_while_it_ends(
    site: Site, mongo_proxy: Proxy
) -> None:
    link = {"MONGO_URI": mongo_uri_of(mongo_proxy)}
    mongo_proxy.cut()
    async with service_process(site, "processor", link, ready=False) as processor:
        starting = HEALTHY["processor"] | {"database": "down", "partitions": "down"}
        await says(processor, 503, starting, "a processor that cannot take its partitions")
        mongo_proxy.heal()
        await says(processor, 200, HEALTHY["processor"], "a processor that has its partitions")
        mongo_proxy.stall()
        await site.send([creation(number(index)) for index in range(10)])
        retrying = HEALTHY["processor"] | {"database": "down", "partitions": "down"}
        await says(processor, 503, retrying, "a processor that retries")
        processor.terminate()
        seen = await _until_gone(processor.health)
        assert 200 not in seen
        await processor.ended()


async def _until_gone(ask: Callable[[], Awaitable[tuple[int, dict[str, str]]]]) -> set[int]:
    seen: set[int] = set()

    async def gone() -> bool:
        seen.add((await ask())[0])
        return 0 in seen

    await wait_for(gone, timeout_s=30, what="the end")
    return seen
