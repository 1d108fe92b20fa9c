"""Webhooks under faults: two endpoints on a receiver here, which fails now and then, and what they get."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from random import Random
from typing import Final

from aiohttp import web
from standardwebhooks import WebhookVerificationError

from domain.shipments.status import Status
from domain.webhooks.delivery import delivery_id
from domain.webhooks.message import status_type
from messaging.topics import Topics
from tests.support.api import Api, Json
from tests.support.observed import Observed, PublishedMessage
from tests.support.receiving.receiver import Received, Receiver, receiver
from tests.support.waiting import wait_until

DELIVERED_WITHIN_S: Final = 180.0
SHOWN: Final = 20
FAILING: Final = 0.01
"""Share of the messages whose first attempt fails: the second comes after 5 s, a third only after minutes."""

ALL, ORDERED = "/all", "/ordered"
ENDPOINTS: Final[Mapping[str, Json]] = {
    ALL: {"types": ["shipment.*"]},
    ORDERED: {"types": ["shipment.created", "shipment.delivered"], "ordering": "per_shipment"},
}


@dataclass(slots=True)
class Subscriptions:
    """The endpoints, and what they have got.

    Attributes:
        unsigned: messages whose signature was wrong when they came; it is valid for five minutes alone.
    """

    hooks: Receiver
    unsigned: list[Received] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def register(self, admin: Api) -> None:
        """Register the endpoints, for the changes of all clients."""
        for path, wanted in ENDPOINTS.items():
            registered = await admin.post("/webhooks", {"url": self.hooks.url(path), **wanted})
            assert registered.status == 201, registered.text
            self.ids[path], self.secrets[path] = registered.body["id"], registered.body["secret"]

    async def received(self, observed: Observed) -> int:
        """Wait until every endpoint has got what it wants, or long enough; return the number of messages."""
        with suppress(TimeoutError):  # `violations` says what is missing
            await self._complete(observed)
        return len(self.hooks.received)

    async def _complete(self, observed: Observed) -> None:
        for path in ENDPOINTS:
            wanted = self._wanted(path, observed).keys()
            arrived = partial(self._arrived, path)
            await wait_until(
                partial(_is_complete, wanted, arrived),
                timeout_s=DELIVERED_WITHIN_S,
                what=f"the webhooks at {path}",
            )

    def violations(self, observed: Observed) -> list[str]:
        """Return what was lost, what nobody wanted, what was not signed, and what came out of order."""
        return [line for path in ENDPOINTS for line in self._violations(path, observed)]

    def _violations(self, path: str, observed: Observed) -> list[str]:
        wanted, arrived = self._wanted(path, observed), self._arrived(path)
        lost = [f"{path}: lost {wanted[each]}" for each in wanted.keys() - arrived]
        foreign = [f"{path}: nobody wanted {each}" for each in arrived - wanted.keys()]
        unsigned = [f"{path}: not signed: {each.message_id}" for each in self.unsigned if each.path == path]
        return [*lost[:SHOWN], *foreign[:SHOWN], *unsigned[:SHOWN], *self._disorder(path)[:SHOWN]]

    def _wanted(self, path: str, observed: Observed) -> dict[str, str]:
        """Return the changes that an endpoint wants, by the id that each must have."""
        assert observed.published is not None
        changes = observed.published[Topics().changes]
        types = ENDPOINTS[path]["types"]
        return {
            delivery_id(self.ids[path], change.event_id): change.event_id
            for change in changes
            if path == ALL or _type_of(change) in types
        }

    def _arrived(self, path: str) -> set[str]:
        return {each.message_id for each in self.hooks.at(path)}

    def verify(self, received: Received) -> None:
        """Verify the signature of a message that has just come."""
        try:
            received.verify(self.secrets[received.path])
        except WebhookVerificationError:
            self.unsigned.append(received)

    def _disorder(self, path: str) -> Sequence[str]:
        """Return the shipments of an ordered endpoint whose messages came in another order than happened."""
        if path != ORDERED:
            return []
        versions: dict[str, dict[int, None]] = {}
        for received in self.hooks.at(path):
            data = received.data
            versions.setdefault(data["tracking_number"], {}).setdefault(data["version"])
        return [
            f"{path}: {number} in the order {list(seen)}"
            for number, seen in versions.items()
            if any(before > after for before, after in pairwise(seen))
        ]


def _is_complete(wanted: Collection[str], arrived: Callable[[], Collection[str]]) -> bool:
    return set(wanted) <= set(arrived())


def _type_of(change: PublishedMessage) -> str:
    _, after = change.statuses
    return status_type(Status(after))


@asynccontextmanager
async def subscribed(admin: Api, chance: Random) -> AsyncIterator[Subscriptions]:
    """Receive webhooks while the context lasts."""
    async with receiver() as hooks:
        failed: set[str] = set()
        subscriptions = Subscriptions(hooks)

        def answer(received: Received) -> web.Response:
            subscriptions.verify(received)
            if received.message_id in failed or chance.random() > FAILING:
                return web.Response(status=204)
            failed.add(received.message_id)
            return web.Response(status=500)

        hooks.answers = dict.fromkeys(ENDPOINTS, answer)
        await subscriptions.register(admin)
        yield subscriptions
