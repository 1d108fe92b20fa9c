"""The use cases that the handlers call, and their wiring."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from webhooks.adapters import Adapters
from webhooks.use_cases.deliveries import Deliveries, DeliveryStores
from webhooks.use_cases.endpoint_tests import EndpointTests
from webhooks.use_cases.endpoints import Endpoints
from webhooks.use_cases.notices import Notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of the management routes."""

    endpoints: Endpoints
    tests: EndpointTests
    deliveries: Deliveries


SERVICES: Final = web.AppKey("services", Services)


def wire_services(adapters: Adapters, notices: Notices) -> Services:
    """Wire the use cases."""
    endpoints = Endpoints(adapters.endpoints, adapters.sealer, adapters.guard, adapters.clock, notices)
    stores = DeliveryStores(
        deliveries=adapters.deliveries, replays=adapters.replays, endpoints=adapters.endpoints
    )
    return Services(
        endpoints=endpoints,
        tests=EndpointTests(endpoints, adapters.endpoints, adapters.sealer, adapters.sender, adapters.clock),
        deliveries=Deliveries(endpoints, stores, adapters.clock, notices),
    )
