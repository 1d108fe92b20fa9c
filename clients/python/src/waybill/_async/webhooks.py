"""Endpoints of webhooks, their deliveries and replays."""

from collections.abc import Iterable
from datetime import datetime
from typing import Unpack

from waybill._async.connection import AsyncConnection
from waybill._async.listing import AsyncListing
from waybill.fields import DeliveryFilters, WebhookFields
from waybill.models import (
    ListedDelivery,
    NewWebhook,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookReplay,
    WebhookSecret,
)
from waybill.operations import (
    CHANGE_WEBHOOK,
    CREATE_WEBHOOK,
    DELETE_WEBHOOK,
    GET_WEBHOOK,
    GET_WEBHOOK_DELIVERY,
    GET_WEBHOOK_REPLAY,
    LIST_WEBHOOK_DELIVERIES,
    LIST_WEBHOOKS,
    REPLAY_WEBHOOK_DELIVERIES,
    RETRY_WEBHOOK_DELIVERY,
    ROTATE_WEBHOOK_SECRET,
    TEST_WEBHOOK,
)
from waybill.transport import PAGE_SIZE, Call
from waybill.values import instant_text, query_of, sequence, without_none

TEST_S = 20.0
"""Longer than the server takes to try a test message."""


class AsyncWebhooks:
    """Endpoints that are sent the changes of shipments."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def create(
        self, url: str, *, client_id: str | None = None, **fields: Unpack[WebhookFields]
    ) -> NewWebhook:
        """Create an endpoint. Its `secret`, which verifies messages, is shown this once.

        Args:
            url: https, and a public address.
            client_id: the client whose shipments it is about: the caller's own by default; an admin's without
                one is about those of every client.
            fields: of the endpoint.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            Conflict: the client has as many endpoints as it may have.
        """
        body = without_none(url=url, client_id=client_id, **fields)
        reply = await self._connection.call(Call(operation=CREATE_WEBHOOK, body=body))
        return reply.as_model(NewWebhook)

    def list(
        self, *, client_id: str | None = None, state: str | None = None, limit: int = PAGE_SIZE
    ) -> AsyncListing[Webhook]:
        """List endpoints, newest first."""
        query = query_of(client_id=client_id, state=state, limit=limit)
        return AsyncListing(self._connection, Call(operation=LIST_WEBHOOKS, query=query), Webhook)

    async def get(self, endpoint_id: str) -> Webhook:
        """Return an endpoint.

        Raises:
            NotFound: there is no such endpoint.
        """
        reply = await self._connection.call(Call(operation=GET_WEBHOOK, steps={"endpoint_id": endpoint_id}))
        return reply.as_model(Webhook)

    async def change(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        state: str | None = None,
        **changes: Unpack[WebhookFields],
    ) -> Webhook:
        """Change, pause or resume an endpoint.

        Args:
            endpoint_id: of the endpoint.
            url: None: it stays.
            state: `active` or `paused`; None: it stays.
            changes: other fields; a `rate_per_s` or `description` of None is removed.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            NotFound: there is no such endpoint.
        """
        body = without_none(url=url, state=state) | changes
        call = Call(operation=CHANGE_WEBHOOK, steps={"endpoint_id": endpoint_id}, body=body)
        reply = await self._connection.call(call)
        return reply.as_model(Webhook)

    async def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint with its deliveries.

        Raises:
            NotFound: there is no such endpoint.
        """
        await self._connection.call(Call(operation=DELETE_WEBHOOK, steps={"endpoint_id": endpoint_id}))

    def deliveries(
        self, endpoint_id: str, *, limit: int = PAGE_SIZE, **filters: Unpack[DeliveryFilters]
    ) -> AsyncListing[ListedDelivery]:
        """List the deliveries of an endpoint, newest first.

        Raises:
            NotFound: there is no such endpoint.
        """
        call = Call(
            operation=LIST_WEBHOOK_DELIVERIES,
            steps={"endpoint_id": endpoint_id},
            query=query_of(**filters, limit=limit),
        )
        return AsyncListing(self._connection, call, ListedDelivery)

    async def delivery(self, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
        """Return a delivery with its attempts and its body.

        Raises:
            NotFound: there is no such endpoint or delivery.
        """
        steps = {"endpoint_id": endpoint_id, "delivery_id": delivery_id}
        reply = await self._connection.call(Call(operation=GET_WEBHOOK_DELIVERY, steps=steps))
        return reply.as_model(WebhookDelivery)

    async def retry(self, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
        """Send a delivery again, at once; a held one is sent by `replay` alone.

        Raises:
            NotFound: there is no such endpoint or delivery.
            Conflict: the delivery is held, or its endpoint paused.
        """
        steps = {"endpoint_id": endpoint_id, "delivery_id": delivery_id}
        reply = await self._connection.call(Call(operation=RETRY_WEBHOOK_DELIVERY, steps=steps))
        return reply.as_model(WebhookDelivery)

    async def replay(
        self,
        endpoint_id: str,
        from_: datetime | str,
        to: datetime | str,
        *,
        states: Iterable[str] | None = None,
        types: Iterable[str] | None = None,
    ) -> WebhookReplay:
        """Send the deliveries again that were created from one instant until before another.

        Args:
            endpoint_id: of the endpoint.
            from_: the first instant.
            to: the instant after the last.
            states: `failed` and `held` by default.
            types: types of messages, or beginnings and `*`; all by default.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            NotFound: there is no such endpoint.
            Conflict: the endpoint is paused, or replays already.
        """
        body = without_none(to=instant_text(to), states=sequence(states), types=sequence(types))
        call = Call(
            operation=REPLAY_WEBHOOK_DELIVERIES,
            steps={"endpoint_id": endpoint_id},
            body={"from": instant_text(from_), **body},
        )
        reply = await self._connection.call(call)
        return reply.as_model(WebhookReplay)

    async def get_replay(self, endpoint_id: str, replay_id: str) -> WebhookReplay:
        """Return how far a replay has come.

        Raises:
            NotFound: there is no such endpoint or replay.
        """
        steps = {"endpoint_id": endpoint_id, "replay_id": replay_id}
        reply = await self._connection.call(Call(operation=GET_WEBHOOK_REPLAY, steps=steps))
        return reply.as_model(WebhookReplay)

    async def rotate_secret(self, endpoint_id: str, *, grace_s: int | None = None) -> str:
        """Replace the secret of an endpoint, and return the new one, which is shown this once.

        Args:
            endpoint_id: of the endpoint.
            grace_s: seconds for which the secrets of before sign, too, at most a week; None: a day.

        Raises:
            BadRequest: `grace_s` is invalid.
            NotFound: there is no such endpoint.
        """
        call = Call(
            operation=ROTATE_WEBHOOK_SECRET,
            steps={"endpoint_id": endpoint_id},
            body=without_none(grace_s=grace_s),
        )
        reply = await self._connection.call(call)
        return reply.as_model(WebhookSecret).secret

    async def test(self, endpoint_id: str) -> WebhookAttempt:
        """Send a message of the type `webhook.test`, once, and return how that ended; takes up to 17 s.

        Raises:
            NotFound: there is no such endpoint.
        """
        reply = await self._connection.call(
            Call(operation=TEST_WEBHOOK, steps={"endpoint_id": endpoint_id}, slow_s=TEST_S)
        )
        return reply.as_model(WebhookAttempt)
