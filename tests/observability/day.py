"""An ordinary day: shipments move, people read them, some mistype, some send twice, nothing breaks."""

import asyncio
import time
from uuid import uuid4

from devstack.client import RunningStack
from tests.e2e.tokens import signed
from tests.e2e.traffic import chunks, eventful_life, shipment_body
from tests.support.api import Api, open_api
from tests.support.receiving.receiver import receiver

USER = "scanner_of_the_day"


async def ordinary_day(stack: RunningStack, *, for_s: float, user: str = USER) -> frozenset[str]:
    """Work for a while; return the private values sent, which no log may hold."""
    password, mistyped = (f"Sesame-{uuid4().hex}" for _ in range(2))
    address, notes = f"Calle {uuid4().hex}", f"call {uuid4().hex} first"
    async with open_api(stack.gateway_url) as nobody, receiver() as hooks:
        admin = nobody.by(signed(stack.jwt_secret))
        registered = await admin.post("/webhooks", {"url": hooks.url("/")})
        secret = registered.body["secret"]
        await admin.post("/auth/users", {"username": user, "password": password, "role": "producer"})
        key = (await admin.post(f"/auth/users/{user}/api-keys", {})).body["api_key"]
        await nobody.post("/auth/login", {"username": user, "password": mistyped})
        await nobody.post("/auth/token", {"api_key": key[:-1] + "x"})
        token = (await nobody.post("/auth/token", {"api_key": key})).body["token"]
        own = await nobody.log_in(user, password)
        ends = time.monotonic() + for_s
        while time.monotonic() < ends:
            await _shipment(admin, nobody.by(token), address=address, notes=notes)
            await asyncio.sleep(0.05)
        await hooks.has(1)
        link_token = await _follow(admin, nobody)
    keys = {stack.jwt_secret, stack.home.webhooks_keys()}
    return frozenset({password, mistyped, key, token, own, address, notes, secret, link_token, *keys})


async def _follow(shipper: Api, nobody: Api) -> str:
    """Send a link, look at pages without and with it, and return its token."""
    number = await shipper.created(shipment_body())
    link = (await shipper.post(f"/shipments/{number}/links", {})).body["url"]
    token: str = link.partition("#")[2]
    await nobody.get(f"/track/{number}")
    await nobody.post("/track/session", {"token": token})
    await nobody.post("/track/session", {"token": token[::-1]})
    await nobody.get(f"/track/{number}0/stream")
    await nobody.get("/console/login")
    await nobody.ask("POST", "/console/login", data=b"username=nobody&password=" + token.encode())
    return token


async def _shipment(admin: Api, driver: Api, *, address: str, notes: str) -> None:
    body = shipment_body()
    body["origin"]["address"] = address
    number = await admin.created(body)
    events = [event | {"notes": notes} for event in eventful_life(number)]
    ids = [each for batch in chunks(events, 10) for each in await driver.batch_reported(batch)]
    await driver.outcome(ids[-1])
    await driver.batch_reported(events[:4])  # the answer was lost, say
    await admin.shipment(number)
    await admin.get("/shipments?limit=5")
    await admin.get(f"/shipments/{number}/events")
    await driver.get("/track")
    # What people get wrong.
    await driver.get("/shipments")
    await driver.get(f"/events/{ids[0]}x")
    await admin.post("/shipments", {"origin": {"address": address}, "notes": notes})
    await driver.post("/events", {"tracking_number": number, "notes": notes, "source": address})
    await admin.ask("PATCH", f"/shipments/{number}", json={"package": {"content_description": notes}})
    await admin.ask("DELETE", f"/shipments/{number}")
