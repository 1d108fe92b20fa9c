"""Use cases of deliveries and replays: find, retry, replay."""

from dataclasses import dataclass
from typing import Final

from domain.access.permissions import Principal
from domain.ports.core import Clock, Document
from domain.webhooks.delivery import DeliveryState, ReplayState
from domain.webhooks.endpoint import Endpoint, EndpointState, types_wanted
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from webhooks.schemas.deliveries import DEFAULT_STATES, NewReplay
from webhooks.stores.delivery_reader import MongoDeliveryReader
from webhooks.stores.endpoints import MongoEndpointStore
from webhooks.stores.replays import MongoReplayStore, Replay, ReplayProgress
from webhooks.use_cases.endpoints import Endpoints
from webhooks.use_cases.identifiers import new_replay_id
from webhooks.use_cases.notices import Notices

MOST_RUNNING: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStores:
    """Stores of deliveries, replays and endpoints."""

    deliveries: MongoDeliveryReader
    replays: MongoReplayStore
    endpoints: MongoEndpointStore


class Deliveries:
    """Deliveries of an endpoint, which belong to whom the endpoint belongs to."""

    def __init__(self, endpoints: Endpoints, stores: DeliveryStores, clock: Clock, notices: Notices) -> None:
        self._endpoints = endpoints
        self._stores = stores
        self._clock = clock
        self._notices = notices

    async def get(self, endpoint_id: str, delivery_id: str, *, by: Principal) -> Document:
        """Return a delivery with its attempts and the body that is sent; None for one that has expired.

        Raises:
            ApiError: see `Endpoints.get`; 404 if the endpoint has no such delivery.
        """
        endpoint = await self._endpoints.get(endpoint_id, by=by)
        delivery = await self._found(endpoint_id, delivery_id)
        message_id = delivery.pop("message_id")
        delivery["body"] = await self._stores.deliveries.body(message_id, endpoint.payload)
        return delivery

    async def retry(self, endpoint_id: str, delivery_id: str, *, by: Principal) -> Document:
        """Begin the schedule of a delivery again, now, and return the delivery.

        Raises:
            ApiError: see `get`; 409 if the endpoint is paused or the delivery held.
        """
        _require_active(await self._endpoints.get(endpoint_id, by=by))
        await self._found(endpoint_id, delivery_id)
        now = self._clock.now()
        if not await self._stores.deliveries.restart(endpoint_id, delivery_id, now):
            await self._found(endpoint_id, delivery_id)
            raise ApiError(ErrorCode.DELIVERY_HELD, "the delivery is held: send it by a replay")
        await self._stores.endpoints.note_due(endpoint_id, now)
        self._notices.delivery_due()
        return await self._found(endpoint_id, delivery_id)

    async def replay(self, endpoint_id: str, wanted: NewReplay, *, by: Principal) -> Replay:
        """Request that deliveries are sent again, and return the replay.

        Raises:
            ApiError: see `Endpoints.get`; 409 if the endpoint is paused, or has `MOST_RUNNING` replays.
        """
        _require_active(await self._endpoints.get(endpoint_id, by=by))
        if await self._stores.replays.running(endpoint_id, most=MOST_RUNNING) >= MOST_RUNNING:
            message = f"{MOST_RUNNING} replays of the endpoint are running already"
            raise ApiError(ErrorCode.WEBHOOK_LIMIT_REACHED, message)
        replay = Replay(
            replay_id=new_replay_id(),
            endpoint_id=endpoint_id,
            start=wanted.start,
            end=wanted.end,
            states=tuple(DeliveryState(state) for state in wanted.states or DEFAULT_STATES),
            types=tuple(sorted(types_wanted(wanted.types or ()))),
            state=ReplayState.RUNNING,
            created_at=self._clock.now(),
        )
        await self._stores.replays.add(replay)
        self._notices.replay_added()
        return replay

    async def get_replay(
        self, endpoint_id: str, replay_id: str, *, by: Principal
    ) -> tuple[Replay, ReplayProgress]:
        """Return a replay and how far it has come.

        Raises:
            ApiError: see `Endpoints.get`; 404 if the endpoint has no such replay.
        """
        await self._endpoints.get(endpoint_id, by=by)
        replay = await self._stores.replays.get(endpoint_id, replay_id)
        if replay is None:
            raise ApiError(ErrorCode.REPLAY_NOT_FOUND, "the endpoint has no such replay")
        return replay, await self._stores.replays.progress(replay_id)

    async def _found(self, endpoint_id: str, delivery_id: str) -> Document:
        delivery = await self._stores.deliveries.get(endpoint_id, delivery_id)
        if delivery is None:
            raise ApiError(ErrorCode.DELIVERY_NOT_FOUND, "the endpoint has no such delivery")
        return delivery


def _require_active(endpoint: Endpoint) -> None:
    if endpoint.state is EndpointState.PAUSED:
        raise ApiError(ErrorCode.WEBHOOK_PAUSED, "the endpoint is paused: set its state to active first")
