"""Tokens and the caller's own password."""

from dataclasses import replace

from waybill._async.connection import AsyncConnection
from waybill.models import Token
from waybill.operations import CHANGE_OWN_PASSWORD, LOG_OUT
from waybill.transport import Call


class AsyncAuth:
    """Tokens and the caller's own password.

    Calls log in by themselves: `login` tries the credentials at once.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def login(self) -> Token:
        """Exchange the client's credentials for a token, and use it.

        Raises:
            Unauthorized: the credentials are wrong.
            RateLimited: too many failed logins.
        """
        return await self._connection.log_in()

    async def logout(self) -> None:
        """Revoke the token that is in use, if there is one; the next call would log in again."""
        if self._connection.has_token:
            await self._connection.call(Call(operation=LOG_OUT))
            self._connection.forget_token()

    async def change_password(self, current_password: str, new_password: str) -> None:
        """Change the caller's password, and use the new one from now on.

        Raises:
            BadRequest: the new password is not accepted; `details` say why.
            Unauthorized: the current password is wrong.
        """
        body = {"current_password": current_password, "new_password": new_password}
        await self._connection.call(Call(operation=CHANGE_OWN_PASSWORD, body=body))
        credentials = self._connection.credentials
        if credentials.password is not None:
            self._connection.use(replace(credentials, password=new_password))
