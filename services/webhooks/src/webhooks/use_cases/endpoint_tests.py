"""Use case: send a test message to an endpoint."""

from domain.access.permissions import Principal
from domain.ports.core import Clock
from domain.webhooks.delivery import Attempt, AttemptError
from webhooks.sealing import SecretSealer, UnreadableSecret
from webhooks.sending.endpoint_test import attempt_once
from webhooks.sending.sender import Sender
from webhooks.stores.endpoints import MongoEndpointStore
from webhooks.use_cases.endpoints import Endpoints


class EndpointTests:
    """Tests of endpoints: one message of its own type, attempted once and stored nowhere."""

    def __init__(
        self,
        endpoints: Endpoints,
        store: MongoEndpointStore,
        sealer: SecretSealer,
        sender: Sender,
        clock: Clock,
    ) -> None:
        self._endpoints = endpoints
        self._store = store
        self._sealer = sealer
        self._sender = sender
        self._clock = clock

    async def test(self, endpoint_id: str, *, by: Principal) -> Attempt:
        """Send a test message, paused or not, and return how that ended; takes up to 17 s.

        Raises:
            ApiError: see `Endpoints.get`.
        """
        endpoint = await self._endpoints.get(endpoint_id, by=by)
        now = self._clock.now()
        sealed = await self._store.secrets(endpoint_id, now)
        try:
            secrets = self._sealer.open_all(each.sealed for each in sealed)
        except UnreadableSecret:
            return Attempt(at=now, status_code=None, duration_ms=0, error=AttemptError.SECRET_UNREADABLE)
        return await attempt_once(self._sender, endpoint.url, secrets, now)
