"""Every page once, with something on it: what the checkers look at, and what pictures are taken of."""

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.e2e.traffic import event_body, shipment_at, shipment_body
from tests.support.api import Api, eventually
from tests.support.stack import StackAddresses
from tests.support.topics import write_values

ADMIN: Final = "admin_user"
CLIENT: Final = "client_user_001"


@dataclass(frozen=True, slots=True)
class Scene:
    """A page to look at.

    Attributes:
        login: who is logged in at the console; None: nobody.
        status: of the response.
    """

    name: str
    path: str
    login: str | None = None
    status: int = 200


async def tracking_scenes(admin: Api, driver: Api) -> list[Scene]:
    """Make shipments in each state, and return their pages."""
    scenes = [
        Scene("track", "/track"),
        Scene("track-not-found", "/track/99M-0000000000000", status=404),
    ]
    for status in (Status.CREATED, Status.IN_TRANSIT, Status.DELIVERED, Status.CANCELLED):
        number = await shipment_at(status, admin=admin, driver=driver)
        scenes.append(Scene(f"track-{str(status).replace('_', '-')}", f"/track/{number}"))
    return [*scenes, await _linked_scene(admin, driver)]


async def _linked_scene(admin: Api, driver: Api) -> Scene:
    """Return the page of a link: with places, a map and an estimated delivery."""
    number = await shipment_at(Status.IN_TRANSIT, admin=admin, driver=driver)
    window = {"earliest": "2030-05-14T21:00:00Z", "latest": "2030-05-15T01:00:00Z"}
    near = event_body(number, Status.IN_TRANSIT) | {
        "checkpoint": "out_for_delivery",
        "location": {"lat": -12.0464, "lng": -77.0428},
    }
    del near["status"]
    await admin.ask("PATCH", f"/shipments/{number}", json={"estimated_delivery": window})
    await driver.outcome(await driver.reported(near))
    url = (await admin.post(f"/shipments/{number}/links", {})).body["url"]
    return Scene("track-with-link", "/track" + url.partition("/track")[2])


async def console_scenes(admin: Api, driver: Api, stack: StackAddresses) -> list[Scene]:
    """Give the console something to show, and return its pages."""
    number = await shipment_at(Status.IN_WAREHOUSE, admin=admin, driver=driver)
    rejected = await driver.reported(event_body(number, Status.PICKED_UP))
    await driver.outcome(rejected)
    quarantined = await admin.created(shipment_body())
    await admin.ask("PUT", f"/quarantine/{quarantined}", json={"reason": "for the pictures"})
    dead_letter = await unreadable_dead_letter(admin, stack)
    return [
        Scene("console-login", "/console/login"),
        Scene("console-overview", "/console/overview", ADMIN),
        Scene("console-shipments", "/console/shipments", ADMIN),
        Scene("console-shipment", f"/console/shipments/{number}", ADMIN),
        Scene("console-event", f"/console/events/{rejected}", ADMIN),
        Scene("console-partitions", "/console/partitions", ADMIN),
        Scene("console-partition", "/console/partitions/0", ADMIN),
        Scene("console-dead-letters", "/console/dead-letters", ADMIN),
        Scene("console-dead-letter", f"/console/dead-letters/{dead_letter}", ADMIN),
        Scene("console-quarantine", "/console/quarantine", ADMIN),
        Scene("console-actions", "/console/actions", ADMIN),
        Scene("console-users", "/console/users", ADMIN),
        Scene("console-new-user", "/console/new-user", ADMIN),
        Scene("console-user", f"/console/users/{CLIENT}", ADMIN),
        Scene("console-account", "/console/account", CLIENT),
        Scene("console-upload", "/console/upload", ADMIN),
        Scene("console-client-shipments", "/console/shipments", CLIENT),
        Scene("console-not-found", "/console/shipments/99M-0000000000000", ADMIN, status=404),
        Scene("console-forbidden", "/console/partitions", CLIENT, status=403),
        *await _webhook_scenes(admin, driver),
    ]


async def _webhook_scenes(admin: Api, driver: Api) -> list[Scene]:
    """Register an endpoint that cannot be reached, and return the pages about it."""
    url = "https://receiver.example.com/waybill"
    endpoint = (await admin.post("/webhooks", {"url": url})).body["id"]
    number = await admin.created(shipment_body())
    await driver.outcome(await driver.reported(event_body(number, Status.PICKED_UP)))

    async def first_delivery() -> str | None:
        found = (await admin.get(f"/webhooks/{endpoint}/deliveries?limit=1")).body["data"]
        return str(found[0]["id"]) if found else None

    delivery = await eventually(first_delivery, within_s=20)
    return [
        Scene("console-webhooks", "/console/webhooks", ADMIN),
        Scene("console-new-webhook", "/console/webhooks/new", CLIENT),
        Scene("console-webhook", f"/console/webhooks/{endpoint}", ADMIN),
        Scene("console-webhook-edit", f"/console/webhooks/{endpoint}/edit", ADMIN),
        Scene("console-delivery", f"/console/webhooks/{endpoint}/deliveries/{delivery}", ADMIN),
        Scene("console-webhooks-of-shipment", f"/console/shipments/{number}/webhooks", ADMIN),
    ]


async def unreadable_dead_letter(admin: Api, stack: StackAddresses) -> str:
    """Append a record that nobody can read, and return the id of its dead letter."""
    key = f"99M-{uuid4().hex[:12].upper()}"
    kafka = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    await write_values(kafka, Topics().events, [(key.encode(), b"<b>no JSON</b>")])

    async def found() -> str | None:
        data = (await admin.get("/dead-letters?reason=unreadable&limit=1")).body["data"]
        return str(data[0]["id"]) if data else None

    return await eventually(found, within_s=20)
