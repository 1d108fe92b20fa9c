"""Use cases: log in with a password, or exchange an API key; response times reveal nothing."""

import asyncio
import hashlib
import hmac
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

import structlog
from aiohttp import hdrs

from domain.access.accounts import User, may_log_in, principal_of
from domain.ports.core import ApiKeyStore, Clock, LoginGuard, UserStore
from httpkit.middleware.auth import TokenIssuer
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import RETRY_SOON, ApiError
from storage.mongo.accounts.hashing_turns import AddressCrowded
from storage.mongo.accounts.users import PasswordHasher
from storage.redis.login_lockout import name_digest

API_KEY: Final = re.compile(r"wb_live_([a-z2-7]{16})_([A-Za-z0-9_-]{43})")
TOUCH_EVERY: Final = timedelta(minutes=1)

_NO_HASH: Final = hashlib.sha256(b"nobody").hexdigest()

_log = structlog.get_logger(__name__)


def secret_hash(secret: str) -> str:
    """Return the stored hash of an API key's secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class PasswordLogin:
    """Login with user name and password."""

    def __init__(
        self,
        users: UserStore,
        hasher: PasswordHasher,
        guard: LoginGuard,
        issuer: TokenIssuer,
        *,
        development: bool = False,
    ) -> None:
        self._development = development
        self._users = users
        self._hasher = hasher
        self._guard = guard
        self._issuer = issuer
        # One attempt per user and address at a time, so that each sees the failures of those before it.
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def token(self, username: str, password: str, *, address: str) -> str:
        """Return a token for a user name and password.

        Raises:
            ApiError: see `checked`.
        """
        asked_at_ms = (
            self._issuer.now_ms()
        )  # a check takes long, and a revocation during it must cover this token
        async with self.checked(username, password, address=address) as user:
            return self._issuer.issue(principal_of(user), at_ms=asked_at_ms, after=user.updated_at)

    @asynccontextmanager
    async def checked(self, username: str, password: str, *, address: str) -> AsyncIterator[User]:
        """Yield the user of a name and password; other attempts on them wait while the context lasts.

        The user is read after the check, which takes long, so that an admin's change meanwhile counts.

        Raises:
            ApiError: 401, after the same time for an unknown user, a wrong password, a disabled user and a
                development user; 429 after too many failures, or if too many of the address wait.
            NoTurn: too many wait already.
        """
        turn = self._turns.setdefault((username, address), asyncio.Lock())
        async with turn:
            await self._require_unlocked(username, address)
            tried = await self._users.find(username)
            is_right = await self._is_right(password, tried, username, address)
            user = await self._users.find(username)
            is_right = is_right and _have_one_password(tried, user)
            if user is None or not is_right or not may_log_in(user, development=self._development):
                await self._guard.failed(username, address)
                _log.info("login_refused", user=name_digest(username), address=address)
                raise invalid_credentials("the user name or the password is wrong")
            await self._guard.succeeded(username, address)
            yield user

    async def _is_right(self, password: str, user: User | None, username: str, address: str) -> bool:
        known = await self._guard.knows(username, address)
        try:
            return await self._hasher.verify(
                password, user.password_hash if user else None, stranger_at=None if known else address
            )
        except AddressCrowded as error:
            message = "too many logins at once from this address: come again in 1 s"
            raise ApiError(ErrorCode.RATE_LIMITED, message, headers=RETRY_SOON) from error

    async def _require_unlocked(self, username: str, address: str) -> None:
        wait_s = math.ceil(await self._guard.wait_s(username, address))
        if wait_s > 0:
            _log.warning("login_locked", user=name_digest(username), address=address, wait_s=wait_s)
            raise ApiError(
                ErrorCode.TOO_MANY_ATTEMPTS,
                f"too many failed logins: try again in {wait_s} s",
                headers={hdrs.RETRY_AFTER: str(wait_s)},
            )


class KeyLogin:
    """Exchange of an API key for a token, which is revoked with the key."""

    def __init__(
        self, keys: ApiKeyStore, issuer: TokenIssuer, clock: Clock, *, development: bool = False
    ) -> None:
        self._development = development
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    async def token(self, api_key: str) -> str:
        """Return a token.

        Raises:
            ApiError: 401, the same for unknown and wrong keys and for those of disabled users.
        """
        parts = API_KEY.fullmatch(api_key)
        key_id, secret = parts.groups() if parts else ("", "")
        asked_at_ms = self._issuer.now_ms()
        found = await self._keys.find(key_id)
        known = found[1].secret_hash if found else _NO_HASH
        is_right = hmac.compare_digest(secret_hash(secret), known)
        if found is None or not is_right or not may_log_in(found[0], development=self._development):
            _log.info("api_key_refused", key_id=key_id)
            raise invalid_credentials("the API key is not valid, or not any more")
        user, key = found
        await self._touch(key_id, key.last_used_at)
        return self._issuer.issue(principal_of(user), key_id=key_id, at_ms=asked_at_ms, after=user.updated_at)

    async def _touch(self, key_id: str, last_used_at: datetime | None) -> None:
        now = self._clock.now()
        if last_used_at is None or now - last_used_at >= TOUCH_EVERY:
            await self._keys.touch(key_id, at=now)


def _have_one_password(one: User | None, other: User | None) -> bool:
    return one is not None and other is not None and one.password_hash == other.password_hash


def invalid_credentials(message: str) -> ApiError:
    """Return the error for invalid credentials."""
    return ApiError(ErrorCode.INVALID_CREDENTIALS, message, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
