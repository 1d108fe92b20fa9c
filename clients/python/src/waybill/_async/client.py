"""The client."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from waybill._async.auth import AsyncAuth
from waybill._async.connection import AsyncConnection
from waybill._async.dead_letters import AsyncDeadLetters
from waybill._async.events import AsyncEvents
from waybill._async.operating import AsyncOperatorActions, AsyncPartitions, AsyncQuarantine
from waybill._async.shipments import AsyncShipments
from waybill._async.tracking import AsyncLinks, AsyncPublic
from waybill._async.users import AsyncUsers
from waybill._async.webhooks import AsyncWebhooks
from waybill.credentials import Credentials
from waybill.models import HealthReport
from waybill.operations import GET_CONTRACT, GET_HEALTH, GET_LIVENESS, GET_READINESS, Operation
from waybill.retries import RetryPolicy
from waybill.transport import Call

TIMEOUT_S: Final = 30.0
RETRIES: Final = 4
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class AsyncWaybill:
    """Client of Waybill's API; many threads or tasks may share one.

    It logs in at the first call, again when its token is about to end, and once when the token is refused.
    Redirects are not followed, so that a token never reaches another host. An address of this machine is
    reached past the proxies of the environment.

    Args:
        url: address of the API, such as `https://waybill.example.com`.
        username: with `password`; or give `api_key`, or a `token`, which is used until it ends. Without any
            of them, only public operations work.
        timeout: seconds for connecting, and for each silence of the server.
        retries: attempts after the first, within a minute in all. A call is repeated if that is safe; the
            error of the last attempt is raised.
        headers: sent with each request, `traceparent` for example.

    Raises:
        ValueError: the address is none of http or https, or the credentials do not fit together.
    """

    def __init__(  # noqa: PLR0913 - options of the client
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        token: str | None = None,
        timeout: float = TIMEOUT_S,
        retries: int = RETRIES,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        self._connection = AsyncConnection(
            url,
            Credentials(username, password, api_key, token),
            timeout_s=timeout,
            retries=RetryPolicy(retries),
            headers=headers,
        )
        self.auth = AsyncAuth(self._connection)
        self.shipments = AsyncShipments(self._connection)
        self.events = AsyncEvents(self._connection)
        self.links = AsyncLinks(self._connection)
        self.webhooks = AsyncWebhooks(self._connection)
        self.users = AsyncUsers(self._connection)
        self.dead_letters = AsyncDeadLetters(self._connection)
        self.partitions = AsyncPartitions(self._connection)
        self.quarantine = AsyncQuarantine(self._connection)
        self.operator_actions = AsyncOperatorActions(self._connection)
        self.public = AsyncPublic(self._connection)

    @property
    def url(self) -> str:
        """Address of the API."""
        return self._connection.url

    @property
    def clock_offset_s(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; None before the first response.

        It is as exact as the `Date` of a response: to a second, and the time that the response took.
        """
        return self._connection.clock.offset_s

    async def health(self) -> HealthReport:
        """Return the state of the services and of what they need; also if it is `down`."""
        return await self._health(GET_HEALTH)

    async def ready(self) -> HealthReport:
        """Return whether the service that answers can serve requests."""
        return await self._health(GET_READINESS)

    async def live(self) -> HealthReport:
        """Return whether the service that answers runs."""
        return await self._health(GET_LIVENESS)

    async def contract(self) -> Mapping[str, Any]:
        """Return the OpenAPI document of the server."""
        reply = await self._connection.call(Call(operation=GET_CONTRACT))
        return reply.as_object()

    async def close(self) -> None:
        """Close the connections. Tokens stay valid: `auth.logout` revokes the one in use."""
        await self._connection.close()

    async def _health(self, operation: Operation) -> HealthReport:
        down = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})
        reply = await self._connection.call(Call(operation=operation, accepted=down))
        return reply.as_model(HealthReport)

    async def __aenter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()
