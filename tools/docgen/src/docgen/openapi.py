"""One OpenAPI document over all services: the only place that knows the routes of each."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import httpkit.openapi.health_operations
import ingest_api.openapi
import ingest_api.routes
import query_api.openapi
import query_api.routes
import webhooks.openapi
import webhooks.routes
from docgen.shared_responses import with_shared_responses
from httpkit.openapi.document import document
from httpkit.openapi.operations import described
from httpkit.server.health import Health

TAGS: Final[Mapping[str, str]] = {
    "access": "Tokens, users and their API keys.",
    "shipments": "Registering, amending, cancelling and reading shipments.",
    "events": "Reporting events of shipments, and the outcome of each event.",
    "tracking": "What anybody with a tracking number may see, and links that show more of a shipment.",
    "webhooks": "Endpoints that are sent the changes of shipments, with deliveries, retries and replays.",
    "dead letters": "Records that could not be applied, stored unchanged, with their replay.",
    "operations": "Halted partitions, quarantined shipments, and the log of operators' actions.",
    "health": "Health of the service, for probes and people.",
    "contract": "This document, and a page to read and try it.",
}

_ABOUT: Final = """An accepted event is applied exactly once, in order, whatever dies.

Writes return 202 once they are durable; `Location` is where to read the outcome. Every error
has the same body, and its `error` is one of a closed list of codes. Times are RFC 3339: any offset in, UTC
with milliseconds out."""


def openapi() -> dict[str, Any]:
    """Return the document, with what operations have in common among its components.

    Raises:
        UndescribedRoute: see `openapi_at_length`.
    """
    return with_shared_responses(openapi_at_length())


def openapi_at_length() -> dict[str, Any]:
    """Return the document with every response where it is given.

    Raises:
        UndescribedRoute: a service has an undescribed route, or describes one that it does not have.
    """
    operations = [
        *described(ingest_api.routes.ROUTES, ingest_api.openapi.OPERATIONS),
        *described(query_api.routes.ROUTES, query_api.openapi.OPERATIONS),
        *described(webhooks.routes.ROUTES, webhooks.openapi.OPERATIONS),
        *described(Health({}).routes(), httpkit.openapi.health_operations.OPERATIONS),
    ]
    info = {
        "title": "Waybill",
        "version": version("waybill-query-api"),
        "summary": "Shipment tracking: report events, follow shipments.",
        "description": _ABOUT,
        "contact": {"name": "Waybill"},
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    return document(info, TAGS, operations, webhooks.openapi.WEBHOOKS)
