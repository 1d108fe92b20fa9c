"""The console's session: a cookie that holds the API's own token, so that nothing is stored here.

The token's claims are read, not verified: they decide what a page shows, never what is allowed. The API
checks the token with each call.
"""

import time
from dataclasses import dataclass, field
from typing import Final

import jwt
from aiohttp import web

from domain.access.permissions import PERMISSIONS, Permission, Role

COOKIE: Final = "waybill_session"
PATH: Final = "/console"
_MAX_TOKEN_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """A user who is logged in.

    Attributes:
        expires_at: when the token ends, in seconds since 1970.
    """

    token: str = field(repr=False)
    username: str
    role: Role
    client_id: str | None
    expires_at: float

    def may(self, permission: Permission) -> bool:
        """Return whether the user's role has a permission; the API decides again with each call."""
        return permission in PERMISSIONS[self.role]


def session_of(request: web.Request) -> Session | None:
    """Return the session of a request; None: nobody is logged in, or not any more."""
    token = request.cookies.get(COOKIE)
    return None if token is None else read_session(token, now=time.time())


def read_session(token: str, *, now: float) -> Session | None:
    """Return the session that a token stands for; None if it is no token of ours, or has expired."""
    if len(token) > _MAX_TOKEN_LENGTH:
        return None
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        session = Session(
            token=token,
            username=str(claims["sub"]),
            role=Role(claims["role"]),
            client_id=claims.get("client_id"),
            expires_at=float(claims["exp"]),
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
        return None
    return session if now < session.expires_at else None


def start_session(response: web.StreamResponse, session: Session, *, secure: bool) -> None:
    """Set the cookie of a session; it ends with the token.

    Args:
        response: to a login.
        session: of the user who has logged in.
        secure: the request came by https, so that the cookie must not be sent over http.
    """
    response.set_cookie(
        COOKIE,
        session.token,
        max_age=max(1, int(session.expires_at - time.time())),
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=secure,
    )


def end_session(response: web.StreamResponse) -> None:
    """Take the cookie away."""
    response.del_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict")
