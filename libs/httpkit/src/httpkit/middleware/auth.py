"""Authentication: JSON Web Tokens (HS256, RFC 8725), and the middleware that checks permissions."""

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jwt
import structlog
from aiohttp import hdrs, web

from domain.access.permissions import Principal, Role, is_allowed
from httpkit.middleware.revoked_tokens import KEY_SEPARATOR, Revocations, names_of
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import RETRY_SOON, ApiError, Handler
from httpkit.routes import permission_of
from httpkit.settings import AuthSettings
from servicekit.settings import Environment

ALGORITHM: Final = "HS256"
ISSUED_AT_MS: Final = "iat_ms"
"""A private claim: `iat` to the millisecond. Without it a token counts as issued when its second began."""
LEEWAY_S: Final = 5
REMEMBERED_TOKENS: Final = 10_000

_REQUIRED_CLAIMS: Final = ["aud", "exp", "iat", "iss", "jti", "sub"]
_MAX_TOKEN_LENGTH: Final = 4096
_SCHEME: Final = "Bearer "
_BEYOND_ANY_TIME: Final = 253_402_300_800  # the year 10000

_log = structlog.get_logger(__name__)


class InvalidToken(Exception):
    """The token is not valid. The text is for our log, never for the caller."""


class UncertainToken(InvalidToken):
    """The token may have been revoked: the list of revoked tokens is too old to decide."""


@dataclass(frozen=True, slots=True)
class Token:
    """A valid token.

    Attributes:
        names: the names under which it may be revoked.
    """

    principal: Principal
    jti: str
    issued_at: float
    expires_at: float
    names: Sequence[str]


PRINCIPAL: Final = web.RequestKey("principal", Principal)
TOKEN: Final = web.RequestKey("token", Token)


class TokenIssuer:
    """Issuer of tokens, signed with the current key."""

    def __init__(self, settings: AuthSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock

    @property
    def ttl_s(self) -> int:
        """Lifetime of a token, in seconds."""
        return self._settings.jwt_ttl_s

    def now_ms(self) -> int:
        """Return the current time as a token would carry it, in milliseconds since 1970."""
        return round(self._clock() * 1000)

    def issue(
        self,
        principal: Principal,
        *,
        key_id: str | None = None,
        at_ms: int | None = None,
        after: datetime | None = None,
    ) -> str:
        """Return a token for `principal`.

        Args:
            principal: the user, with role and restrictions.
            key_id: the API key it was exchanged for; it is revoked with the key.
            at_ms: a time of `now_ms` from before the user was read, so that a change made since then revokes
                this token too; None: now.
            after: time of the user's last change: tokens up to that millisecond are rejected, so this one is
                dated later. `iat` has whole seconds, as many clients expect; the millisecond is in a private
                claim, or a token could outlive a change within its second.
        """
        issued_ms = self.now_ms() if at_ms is None else at_ms
        if after is not None:
            issued_ms = max(issued_ms, round(after.timestamp() * 1000) + 1)
        issued_at = issued_ms // 1000
        random = secrets.token_urlsafe(16)
        claims = {
            "sub": principal.subject,
            "role": principal.role.value,
            "client_id": principal.client_id,
            **_optional_claims(principal),
            "iss": self._settings.jwt_issuer,
            "aud": self._settings.jwt_audience,
            "iat": issued_at,
            ISSUED_AT_MS: issued_ms,
            "exp": issued_at + self._settings.jwt_ttl_s,
            "jti": random if key_id is None else f"{key_id}{KEY_SEPARATOR}{random}",
        }
        key = self._settings.jwt_secret.get_secret_value()
        return jwt.encode(claims, key, ALGORITHM, headers={"kid": self._settings.jwt_kid})


class TokenVerifier:
    """Verifier of tokens, with a small ring of keys and a cache of verified tokens.

    A verification takes about 60 µs, half as much again as ingest spends on a whole event; a cached token
    takes under 1 µs (measured). The cache key is the whole token, so a forged one is never found, and an
    entry ends when its token expires.
    """

    def __init__(
        self,
        settings: AuthSettings,
        revocations: Revocations | None = None,
        *,
        clock: Callable[[], float] = time.time,
        remembered: int = REMEMBERED_TOKENS,
    ) -> None:
        self._revocations = Revocations() if revocations is None else revocations
        self._keys = {kid: secret.get_secret_value() for kid, secret in settings.jwt_retired_secrets.items()}
        self._keys[settings.jwt_kid] = settings.jwt_secret.get_secret_value()
        self._development = settings.env is Environment.DEVELOPMENT
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._clock = clock
        self._capacity = remembered
        self._verified: OrderedDict[str, Token] = OrderedDict()

    def verify(self, text: str) -> Principal:
        """Return the principal of a token; see `read`."""
        return self.read(text).principal

    def read(self, text: str) -> Token:
        """Verify a token and return its contents.

        Raises:
            InvalidToken: wrong form, key, signature, time, issuer, audience or claims, or revoked.
            UncertainToken: it is older than the last known state of the revocations.
        """
        token = self._verified.get(text)
        if token is not None and self._clock() < token.expires_at:
            self._verified.move_to_end(text)
        else:
            token = self._verify_uncached(text)
        if self._revocations.cover(token.names, token.issued_at):
            raise InvalidToken("revoked")
        if not self._revocations.can_decide(token.issued_at):
            raise UncertainToken("the revocations are not known well enough")
        return token

    @property
    def is_starting(self) -> bool:
        """True while the process is young, so that an uncertain token may be decided in a moment."""
        return self._revocations.is_starting

    def _verify_uncached(self, text: str) -> Token:
        self._verified.pop(text, None)
        if len(text) > _MAX_TOKEN_LENGTH or not text.isascii():  # other bytes come as lone surrogates
            raise InvalidToken("not one of our tokens: too long, or not ASCII")
        claims = self._decode(text)
        _require_unicode(claims)
        token = _token_of(claims)
        if token.principal.seeded and not self._development:
            raise InvalidToken("belongs to a development user")
        self._verified[text] = token
        if len(self._verified) > self._capacity:
            self._verified.popitem(last=False)
        return token

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(kid) if isinstance(kid, str) else None
            if key is None:
                raise InvalidToken("no such key")
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED_CLAIMS},
            )
        except (jwt.InvalidTokenError, OverflowError) as error:  # a time may be infinite
            raise InvalidToken(str(error)) from error


def auth_middleware(verifier: TokenVerifier | None) -> Callable[..., Any]:
    """Return the middleware that requires the permission that a request's route declares.

    Args:
        verifier: None for an app all of whose routes are public.
    """

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        permission = permission_of(request)
        if permission is None:
            return await handler(request)
        token = _authenticated(request, verifier)
        request[TOKEN] = token
        request[PRINCIPAL] = token.principal
        if not is_allowed(token.principal, permission):
            raise ApiError(ErrorCode.FORBIDDEN, "your role does not allow this")
        return await handler(request)

    return authenticate


def principal(request: web.Request) -> Principal:
    """Return the caller; only on routes that declare a permission."""
    return request[PRINCIPAL]


def _authenticated(request: web.Request, verifier: TokenVerifier | None) -> Token:
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if verifier is None or header[: len(_SCHEME)].lower() != _SCHEME.lower():
        raise ApiError(
            ErrorCode.AUTHENTICATION_REQUIRED,
            "send a token: Authorization: Bearer …",
            headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
        )
    try:
        return verifier.read(header[len(_SCHEME) :].strip())
    except UncertainToken as error:
        _log.warning("token_uncertain", starting=verifier.is_starting)
        raise _uncertain(starting=verifier.is_starting) from error
    except InvalidToken as error:
        _log.info("token_refused", reason=str(error))
        raise ApiError(
            ErrorCode.INVALID_TOKEN,
            "the token is not valid, or not any more",
            headers={hdrs.WWW_AUTHENTICATE: 'Bearer error="invalid_token"'},
        ) from error


def _uncertain(*, starting: bool) -> ApiError:
    if starting:
        return ApiError(
            ErrorCode.SERVICE_UNAVAILABLE,
            "which tokens have ended is not known yet: try again in a moment",
            headers=RETRY_SOON,
        )
    return ApiError(
        ErrorCode.INVALID_TOKEN,
        "which tokens have ended is not known at the moment, and this one is not fresh: get another",
        headers={hdrs.WWW_AUTHENTICATE: 'Bearer error="invalid_token"'},
    )


def _optional_claims(principal: Principal) -> dict[str, Any]:
    """Return the claims that most tokens do not need."""
    sources = {"sources": list(principal.allowed_sources)} if principal.allowed_sources else {}
    return sources | ({"seeded": True} if principal.seeded else {})


def _require_unicode(claims: dict[str, Any]) -> None:
    """Reject lone surrogates: JSON has an escape for them, and no later consumer of a claim accepts them."""
    try:
        json.dumps(claims, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidToken("a claim is not Unicode") from error


def _token_of(claims: dict[str, Any]) -> Token:
    principal, jti = _principal_of(claims), claims["jti"]
    if not isinstance(jti, str):
        raise InvalidToken("jti is not a string")
    names = names_of(jti, principal.subject)
    return Token(principal, jti, _issued_at(claims), _time_of(claims, "exp"), names)


def _time_of(claims: dict[str, Any], name: str) -> float:
    """Return a time of RFC 7519: a finite number, where PyJWT also accepts strings of digits and any size."""
    instant = claims[name]
    if type(instant) not in {int, float} or not 0 <= instant < _BEYOND_ANY_TIME:
        raise InvalidToken(f"{name} is not a time")
    return float(instant)


def _issued_at(claims: dict[str, Any]) -> float:
    exact, issued_at = claims.get(ISSUED_AT_MS), _time_of(claims, "iat")
    if exact is None:
        return issued_at
    if type(exact) is not int or exact // 1000 != claims["iat"]:
        raise InvalidToken(f"{ISSUED_AT_MS} is not within iat")
    return exact / 1000


def _principal_of(claims: dict[str, Any]) -> Principal:
    subject, role, client_id = claims["sub"], claims.get("role"), claims.get("client_id")
    if not isinstance(subject, str) or not subject or role not in list(Role):
        raise InvalidToken("no such subject or role")
    if not (client_id is None or isinstance(client_id, str)):
        raise InvalidToken("client_id is not a string")
    if role == Role.CLIENT and not client_id:
        raise InvalidToken("a client without client_id")
    sources, seeded = claims.get("sources", []), claims.get("seeded", False)
    if not isinstance(sources, list) or not all(isinstance(each, str) and each for each in sources):
        raise InvalidToken("sources are not texts")
    if not isinstance(seeded, bool):
        raise InvalidToken("seeded is neither true nor false")
    return Principal(subject, Role(role), client_id, allowed_sources=tuple(sources), seeded=seeded)
