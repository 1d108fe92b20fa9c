"""The client."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

from waybill._sync.auth import Auth
from waybill._sync.connection import Connection
from waybill._sync.dead_letters import DeadLetters
from waybill._sync.events import Events
from waybill._sync.operating import OperatorActions, Partitions, Quarantine
from waybill._sync.shipments import Shipments
from waybill._sync.tracking import Links, Public
from waybill._sync.users import Users
from waybill._sync.webhooks import Webhooks
from waybill.credentials import Credentials
from waybill.models import HealthReport
from waybill.operations import GET_CONTRACT, GET_HEALTH, GET_LIVENESS, GET_READINESS, Operation
from waybill.retries import RetryPolicy
from waybill.transport import Call

TIMEOUT_S: Final = 30.0
RETRIES: Final = 4
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Waybill:
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
        self._connection = Connection(
            url,
            Credentials(username, password, api_key, token),
            timeout_s=timeout,
            retries=RetryPolicy(retries),
            headers=headers,
        )
        self.auth = Auth(self._connection)
        self.shipments = Shipments(self._connection)
        self.events = Events(self._connection)
        self.links = Links(self._connection)
        self.webhooks = Webhooks(self._connection)
        self.users = Users(self._connection)
        self.dead_letters = DeadLetters(self._connection)
        self.partitions = Partitions(self._connection)
        self.quarantine = Quarantine(self._connection)
        self.operator_actions = OperatorActions(self._connection)
        self.public = Public(self._connection)

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

    def health(self) -> HealthReport:
        """Return the state of the services and of what they need; also if it is `down`."""
        return self._health(GET_HEALTH)

    def ready(self) -> HealthReport:
        """Return whether the service that answers can serve requests."""
        return self._health(GET_READINESS)

    def live(self) -> HealthReport:
        """Return whether the service that answers runs."""
        return self._health(GET_LIVENESS)

    def contract(self) -> Mapping[str, Any]:
        """Return the OpenAPI document of the server."""
        reply = self._connection.call(Call(operation=GET_CONTRACT))
        return reply.as_object()

    def close(self) -> None:
        """Close the connections. Tokens stay valid: `auth.logout` revokes the one in use."""
        self._connection.close()

    def _health(self, operation: Operation) -> HealthReport:
        down = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})
        reply = self._connection.call(Call(operation=operation, accepted=down))
        return reply.as_model(HealthReport)

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()
