"""Use cases of endpoints: create, find, change, rotate the secret, test, delete."""

from datetime import timedelta
from typing import Final

from domain.access.permissions import Principal, client_reach, owns
from domain.ports.core import Clock
from domain.webhooks.endpoint import Endpoint, EndpointState, Ordering, Payload
from httpkit.request.bodies import validation_error
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from webhooks.schemas.endpoints import EndpointChange, NewEndpoint
from webhooks.sealing import SecretSealer, new_secret
from webhooks.sending.address_guard import AddressGuard
from webhooks.sending.target_url import url_problem
from webhooks.stores.endpoints import MongoEndpointStore
from webhooks.use_cases.identifiers import new_endpoint_id
from webhooks.use_cases.notices import Notices

MOST_OF_A_CLIENT: Final = 50


class Endpoints:
    """Management of endpoints; each belongs to its client, and to admins."""

    def __init__(
        self,
        store: MongoEndpointStore,
        sealer: SecretSealer,
        guard: AddressGuard,
        clock: Clock,
        notices: Notices,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._guard = guard
        self._clock = clock
        self._notices = notices

    async def create(self, wanted: NewEndpoint, *, by: Principal) -> tuple[Endpoint, str]:
        """Create an endpoint and return it with its secret, which is shown this once.

        Raises:
            ApiError: 403 for another client, 400 for the URL, 409 if the client has `MOST_OF_A_CLIENT`.
        """
        client_id = wanted.client_id or client_reach(by)
        if not owns(by, client_id):
            raise ApiError(ErrorCode.FORBIDDEN, "endpoints of another client are not yours to create")
        self._require_url(wanted.url)
        secret, now = new_secret(), self._clock.now()
        endpoint = Endpoint(
            endpoint_id=new_endpoint_id(),
            client_id=client_id,
            url=wanted.url,
            types=wanted.wanted_types,
            payload=wanted.payload or Payload.FULL,
            ordering=wanted.ordering or Ordering.NONE,
            rate_per_s=wanted.rate_per_s,
            description=wanted.description,
            state=EndpointState.ACTIVE,
            paused_reason=None,
            paused_at=None,
            created_by=by.subject,
            created_at=now,
            updated_at=now,
        )
        if not await self._store.add(endpoint, self._sealer.seal(secret), most=MOST_OF_A_CLIENT):
            message = f"the client has {MOST_OF_A_CLIENT} endpoints already: delete one"
            raise ApiError(ErrorCode.WEBHOOK_LIMIT_REACHED, message)
        self._notices.endpoint_changed()
        return endpoint, secret

    async def get(self, endpoint_id: str, *, by: Principal) -> Endpoint:
        """Return an endpoint.

        Raises:
            ApiError: 404 if there is none of that id, 403 if it is another client's.
        """
        endpoint = await self._store.get(endpoint_id)
        if endpoint is None:
            raise _absent()
        if not owns(by, endpoint.client_id):
            raise ApiError(ErrorCode.FORBIDDEN, "this is not yours")
        return endpoint

    async def change(self, endpoint_id: str, change: EndpointChange, *, by: Principal) -> Endpoint:
        """Change an endpoint and return it.

        Raises:
            ApiError: see `get`; 400 for the URL.
        """
        await self.get(endpoint_id, by=by)
        if change.url is not None:
            self._require_url(change.url)
        changed = await self._store.change(endpoint_id, change.changes, self._clock.now())
        if changed is None:
            raise _absent()
        self._notices.endpoint_changed()
        return changed

    async def rotate(self, endpoint_id: str, grace_s: int, *, by: Principal) -> str:
        """Give an endpoint a new secret and return it; those of before sign for `grace_s` seconds, too.

        Raises:
            ApiError: see `get`.
        """
        await self.get(endpoint_id, by=by)
        secret, now = new_secret(), self._clock.now()
        until = now + timedelta(seconds=grace_s)
        if not await self._store.rotate(endpoint_id, self._sealer.seal(secret), until=until, now=now):
            raise _absent()
        return secret

    async def delete(self, endpoint_id: str, *, by: Principal) -> None:
        """Delete an endpoint; nothing is sent to it any more.

        Raises:
            ApiError: see `get`.
        """
        await self.get(endpoint_id, by=by)
        if not await self._store.delete(endpoint_id):
            raise _absent()
        self._notices.endpoint_deleted()

    def _require_url(self, url: str) -> None:
        problem = url_problem(url, self._guard)
        if problem is not None:
            raise validation_error([Detail("/url", problem)])


def _absent() -> ApiError:
    return ApiError(ErrorCode.WEBHOOK_NOT_FOUND, "there is no such endpoint")
