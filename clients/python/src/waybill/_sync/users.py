"""Users and their API keys; for admins."""

from collections.abc import Iterable

from waybill._sync.connection import Connection
from waybill._sync.listing import Listing
from waybill.models import ApiKey, NewApiKey, User
from waybill.models.page import Whole
from waybill.operations import (
    CHANGE_USER,
    CREATE_API_KEY,
    CREATE_USER,
    DELETE_API_KEY,
    GET_USER,
    LIST_API_KEYS,
    LIST_USERS,
)
from waybill.transport import PAGE_SIZE, Call
from waybill.values import query_of, sequence, without_none


class Users:
    """Users and their API keys; for admins."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, limit: int = PAGE_SIZE) -> Listing[User]:
        """List users."""
        return Listing(self._connection, Call(operation=LIST_USERS, query=query_of(limit=limit)), User)

    def create(
        self,
        username: str,
        password: str,
        role: str,
        *,
        client_id: str | None = None,
        allowed_sources: Iterable[str] | None = None,
    ) -> User:
        """Create a user.

        Args:
            username: letters, digits and signs.
            password: its length and strength are checked.
            role: `admin`, `client` or `producer`.
            client_id: of a client.
            allowed_sources: beginnings of the sources that a producer may report; None: any source.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            Conflict: the name is taken.
        """
        body = without_none(
            username=username,
            password=password,
            role=role,
            client_id=client_id,
            allowed_sources=sequence(allowed_sources),
        )
        reply = self._connection.call(Call(operation=CREATE_USER, body=body))
        return reply.as_model(User)

    def get(self, username: str) -> User:
        """Return a user.

        Raises:
            NotFound: there is no such user.
        """
        reply = self._connection.call(Call(operation=GET_USER, steps={"username": username}))
        return reply.as_model(User)

    def change(
        self,
        username: str,
        *,
        role: str | None = None,
        client_id: str | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        allowed_sources: Iterable[str] | None = None,
    ) -> User:
        """Change a user; what is None stays. The user's tokens are revoked.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            NotFound: there is no such user.
            Conflict: no admin would be left, or it is the caller's own account.
        """
        body = without_none(
            role=role,
            client_id=client_id,
            password=password,
            disabled=disabled,
            allowed_sources=sequence(allowed_sources),
        )
        reply = self._connection.call(Call(operation=CHANGE_USER, steps={"username": username}, body=body))
        return reply.as_model(User)

    def api_keys(self, username: str) -> tuple[ApiKey, ...]:
        """Return the API keys of a user, without their secrets.

        Raises:
            NotFound: there is no such user.
        """
        reply = self._connection.call(Call(operation=LIST_API_KEYS, steps={"username": username}))
        return reply.as_model(Whole[ApiKey]).data

    def create_api_key(self, username: str) -> NewApiKey:
        """Create an API key. Its `api_key` is shown this once.

        Raises:
            NotFound: there is no such user.
            Conflict: the user has as many keys as a user may have.
        """
        reply = self._connection.call(Call(operation=CREATE_API_KEY, steps={"username": username}))
        return reply.as_model(NewApiKey)

    def delete_api_key(self, username: str, key_id: str) -> None:
        """Delete an API key, and revoke the tokens that it was exchanged for.

        Raises:
            NotFound: there is no such user or key.
        """
        steps = {"username": username, "key_id": key_id}
        self._connection.call(Call(operation=DELETE_API_KEY, steps=steps))
