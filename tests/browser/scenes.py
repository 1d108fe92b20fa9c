"""Every page once, with something on it: what the checkers look at, and what pictures are taken of."""

from dataclasses import dataclass
from typing import Final

from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_at, shipment_body
from tests.support.api import Api

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
        "estimated_delivery": window,
        "location": {"lat": -12.0464, "lng": -77.0428},
    }
    del near["status"]
    await driver.outcome(await driver.reported(near))
    url = (await admin.post(f"/shipments/{number}/links", {})).body["url"]
    return Scene("track-with-link", "/track" + url.partition("/track")[2])


async def console_scenes(admin: Api, driver: Api) -> list[Scene]:
    """Give the console something to show, and return its pages."""
    number = await shipment_at(Status.IN_WAREHOUSE, admin=admin, driver=driver)
    await driver.outcome(await driver.reported(event_body(number, Status.PICKED_UP)))
    registered = await admin.post("/webhooks", {"url": "https://receiver.example.com/waybill"})
    endpoint = registered.body["id"]
    quarantined = await admin.created(shipment_body())
    await admin.ask("PUT", f"/quarantine/{quarantined}", json={"reason": "for the pictures"})
    return [
        Scene("console-login", "/console/login"),
        Scene("console-overview", "/console", ADMIN),
        Scene("console-shipments", "/console/shipments", ADMIN),
        Scene("console-shipment", f"/console/shipments/{number}", ADMIN),
        Scene("console-partitions", "/console/partitions", ADMIN),
        Scene("console-dead-letters", "/console/dead-letters", ADMIN),
        Scene("console-quarantine", "/console/quarantine", ADMIN),
        Scene("console-actions", "/console/actions", ADMIN),
        Scene("console-webhooks", "/console/webhooks", ADMIN),
        Scene("console-webhook", f"/console/webhooks/{endpoint}", ADMIN),
        Scene("console-users", "/console/users", ADMIN),
        Scene("console-account", "/console/account", CLIENT),
        Scene("console-client-shipments", "/console/shipments", CLIENT),
        Scene("console-not-found", "/console/nothing-here", ADMIN, status=404),
        Scene("console-forbidden", "/console/partitions", CLIENT, status=403),
    ]
