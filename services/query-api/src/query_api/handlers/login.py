"""Handlers of /auth/login, /auth/token, /auth/logout and /auth/password."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from httpkit.middleware.auth import TOKEN, principal
from httpkit.request.addresses import client_address
from httpkit.request.bodies import read_json
from httpkit.response.json_responses import json_response
from query_api.schemas.bodies import PASSWORD_CHANGE, TOKEN_REQUEST
from query_api.use_cases.access import ACCESS

BODY_LIMIT: Final = 8 * 1024


class LoginBody(BaseModel):
    """User name and password of a login."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=1024, repr=False)]


LOGIN_BODY: Final = TypeAdapter(LoginBody)


async def log_in(request: web.Request) -> web.Response:
    """Return a token for a password; unknown user, wrong password and disabled user get the same 401."""
    body = await read_json(request, LOGIN_BODY, limit=BODY_LIMIT)
    access = request.app[ACCESS]
    token = await access.passwords.token(body.username, body.password, address=client_address(request))
    return _token_response(token, access.token_ttl_s)


async def exchange_key(request: web.Request) -> web.Response:
    """Return a token for an API key."""
    body = await read_json(request, TOKEN_REQUEST, limit=BODY_LIMIT)
    access = request.app[ACCESS]
    return _token_response(await access.keys.token(body.api_key), access.token_ttl_s)


async def log_out(request: web.Request) -> web.Response:
    """Revoke the token of the request."""
    await request.app[ACCESS].revoker.end(request[TOKEN])
    return web.Response(status=web.HTTPNoContent.status_code)


async def change_own_password(request: web.Request) -> web.Response:
    """Change the caller's password, after checking the current one; its other tokens are revoked."""
    body = await read_json(request, PASSWORD_CHANGE, limit=BODY_LIMIT)
    access, username = request.app[ACCESS], principal(request).subject
    address = client_address(request)
    # Within the lock of user and address, or parallel requests would delay others with their second hash.
    async with access.passwords.checked(username, body.current_password, address=address) as user:
        await access.accounts.change_own_password(user, body.new_password, request[TOKEN])
    return web.Response(status=web.HTTPNoContent.status_code)


def _token_response(token: str, ttl_s: int) -> web.Response:
    body = {"token": token, "expires_in": ttl_s, "token_type": "Bearer"}
    return json_response(body)
