"""Webhooks with MongoDB or Kafka away: what is applied meanwhile is delivered later, under the same ids."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from cryptography.fernet import Fernet

from domain.webhooks.delivery import delivery_id
from tests.e2e.tokens import signed
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.api import open_api
from tests.support.fault_table import Recovery
from tests.support.proxy import Proxy
from tests.support.receiving.receiver import Receiver, receiver
from tests.support.services import SECRET, service_process
from tests.support.site import Site, processing
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240), pytest.mark.fault(Row.WEBHOOKS_STORES_AWAY)]

DELIVERED_WITHIN_S = 120.0


@asynccontextmanager
async def proxied(site: Site, store: str) -> AsyncIterator[tuple[Proxy, Mapping[str, str]]]:
    """Give a proxy before a store, and the environment of a service that goes through it."""
    if store == "kafka":
        async with Proxy(site.kafka.brokers, disguise=True).running() as proxy:
            yield proxy, {"KAFKA_BROKERS": proxy.address}
        return
    address, _, rest = site.mongo.uri.removeprefix("mongodb://").partition("/")
    async with Proxy(address).running() as proxy:
        direct = rest if "directConnection" in rest else f"{rest}&directConnection=true"
        yield proxy, {"MONGO_URI": f"mongodb://{proxy.address}/{direct}"}


@asynccontextmanager
async def subscribed(site: Site, environment: Mapping[str, str]) -> AsyncIterator[tuple[Receiver, str]]:
    """Run the service with one endpoint; give its receiver and its id."""
    own = {
        "WEBHOOKS_KEYS": Fernet.generate_key().decode(),
        "WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOKS_GROUP": f"{site.group}-webhooks",
    }
    async with receiver() as hooks, service_process(site, "webhooks", {**own, **environment}) as service:
        async with open_api(service.url) as nobody:
            admin = nobody.by(signed(SECRET))
            registered = await admin.post("/webhooks", {"url": hooks.url("/")})
        assert registered.status == 201, registered.text
        yield hooks, registered.body["id"]


@pytest.mark.parametrize("store", ["mongod", "kafka"])
async def test_store_that_goes_away_costs_no_delivery(site: Site, store: str, recovery: Recovery) -> None:
    day = traffic(20, seed=11)
    morning, afternoon = day[: len(day) // 2], day[len(day) // 2 :]
    async with (
        proxied(site, store) as (proxy, environment),
        subscribed(site, environment) as (hooks, endpoint_id),
        processing(site),
    ):
        await site.send(morning)
        await hooks.has(1, timeout_s=DELIVERED_WITHIN_S)
        proxy.cut()
        await site.send(afternoon)
        await site.finished()
        proxy.heal()
        wanted = {delivery_id(endpoint_id, event_id) for event_id in await site.applied()}
        with recovery.timed():
            await wait_until(
                lambda: wanted <= {each.message_id for each in hooks.received},
                timeout_s=DELIVERED_WITHIN_S,
                what="every delivery",
            )
    assert {each.message_id for each in hooks.received} == wanted
