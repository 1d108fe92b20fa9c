"""POST /auth/login: a password for a token."""

from typing import Annotated, Final

import structlog
from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.errors import ErrorCode
from domain.permissions import Principal
from httpkit.bodies import read_json
from httpkit.errors import ApiError
from httpkit.responses import json_response
from query_api.adapters import ADAPTERS

BODY_LIMIT: Final = 8 * 1024

_log = structlog.get_logger(__name__)


class LoginBody(BaseModel):
    """Who says to be whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=1024, repr=False)]


LOGIN_BODY: Final = TypeAdapter(LoginBody)


async def log_in(request: web.Request) -> web.Response:
    """Answer with a token. Who is unknown, wrong or disabled learns the same, after the same time."""
    body = await read_json(request, LOGIN_BODY, limit=BODY_LIMIT)
    adapters = request.app[ADAPTERS]
    user = await adapters.users.find(body.username)
    is_right = await adapters.hasher.verify(body.password, user.password_hash if user else None)
    if user is None or not is_right or user.disabled:
        _log.info("login_refused", username=body.username)
        raise ApiError(
            ErrorCode.INVALID_CREDENTIALS,
            "the user name or the password is wrong",
            headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
        )
    issuer = adapters.issuer
    token = issuer.issue(Principal(user.username, user.role, user.client_id))
    answer = {"token": token, "expires_in": issuer.ttl_s, "token_type": "Bearer"}
    return json_response(answer, headers={hdrs.CACHE_CONTROL: "no-store"})
