"""Users and their API keys: made, changed and ended by admins."""

import base64
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from domain.errors import ErrorCode, StoreUnavailable
from domain.permissions import Principal, Role
from domain.ports import ApiKey, ApiKeyStore, Clock, User, UserStore
from httpkit.errors import ApiError, Detail
from query_api.logins import secret_hash
from query_api.models import NewUser, UserChange, client_fault, password_fault
from query_api.revoking import Revoker
from storage.users import PasswordHasher

MOST_KEYS: Final = 20
ATTEMPTS: Final = 3


class Accounts:
    """Users. Whoever loses a right loses its tokens too."""

    def __init__(self, users: UserStore, hasher: PasswordHasher, revoker: Revoker, clock: Clock) -> None:
        self._users = users
        self._hasher = hasher
        self._revoker = revoker
        self._clock = clock

    async def create(self, wanted: NewUser) -> User:
        """Add a user.

        Raises:
            ApiError: 409 if the name is taken.
        """
        now = self._clock.now()
        user = User(
            username=wanted.username,
            password_hash=await self._hasher.hash(wanted.password),
            role=wanted.role,
            client_id=wanted.client_id,
            created_at=now,
            updated_at=now,
        )
        if not await self._users.add(user):
            raise ApiError(ErrorCode.USERNAME_TAKEN, "there is a user of that name")
        return user

    async def get(self, username: str) -> User:
        """Return a user.

        Raises:
            ApiError: 404 if there is none of that name.
        """
        user = await self._users.find(username)
        if user is None:
            raise ApiError(ErrorCode.USER_NOT_FOUND, "there is no user of that name")
        return user

    async def change(self, username: str, change: UserChange, *, by: Principal) -> User:
        """Change a user; its tokens, which say what it was, are refused from then on.

        Raises:
            ApiError: 404, 400 for what does not go together, 409 for an admin that would lock itself out.
        """
        secret = await self._hashed(username, change)
        for _ in range(ATTEMPTS):
            old = await self.get(username)
            changed = replace(old, **_fields(change, secret))
            _require_sense(changed, by)
            if changed == old:
                return old
            now = max(self._clock.now(), old.updated_at + timedelta(milliseconds=1))
            new = replace(changed, updated_at=now)
            revocation = self._revoker.of_user(username, now)
            if await self._users.replace(old, new, revocation=revocation):
                await self._revoker.announce(revocation)
                return new
        raise StoreUnavailable("others change this user at the same time")

    async def _hashed(self, username: str, change: UserChange) -> str | None:
        if change.password is None:
            return None
        fault = password_fault(change.password, username)
        if fault is not None:
            raise _fault("/password", fault)
        return await self._hasher.hash(change.password)


class ApiKeys:
    """API keys of users, each shown once."""

    def __init__(self, accounts: Accounts, keys: ApiKeyStore, revoker: Revoker, clock: Clock) -> None:
        self._accounts = accounts
        self._keys = keys
        self._revoker = revoker
        self._clock = clock

    async def create(self, username: str) -> tuple[ApiKey, str]:
        """Make a key, and return it with its one showing.

        Raises:
            ApiError: 404 if there is no such user, 409 if it has `MOST_KEYS` keys.
        """
        await self._accounts.get(username)
        key_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        secret = secrets.token_urlsafe(32)
        key = ApiKey(key_id=key_id, secret_hash=secret_hash(secret), created_at=self._clock.now())
        if not await self._keys.add(username, key, most=MOST_KEYS):
            raise ApiError(ErrorCode.API_KEY_LIMIT_REACHED, f"a user has at most {MOST_KEYS} API keys")
        return key, f"wb_live_{key_id}_{secret}"

    async def of_user(self, username: str) -> list[ApiKey]:
        """Return the keys of a user.

        Raises:
            ApiError: 404 if there is no such user.
        """
        await self._accounts.get(username)
        return await self._keys.of_user(username)

    async def remove(self, username: str, key_id: str) -> None:
        """End a key and the tokens that it was exchanged for.

        Raises:
            ApiError: 404 if there is no such user or key.
        """
        revocation = self._revoker.of_key(key_id)
        if not await self._keys.remove(username, key_id, revocation=revocation):
            await self._accounts.get(username)
            raise ApiError(ErrorCode.API_KEY_NOT_FOUND, "the user has no such API key")
        await self._revoker.announce(revocation)


def _fields(change: UserChange, secret: str | None) -> dict[str, Any]:
    """Return what changes. A user that is no client any more has no `client_id` either."""
    given = change.model_dump(exclude_unset=True, exclude={"password"})
    if given.get("role", Role.CLIENT) is not Role.CLIENT:
        given.setdefault("client_id", None)
    return given if secret is None else given | {"password_hash": secret}


def _require_sense(user: User, by: Principal) -> None:
    fault = client_fault(user.role, user.client_id)
    if fault is not None:
        raise _fault("/client_id", fault)
    if user.username == by.subject and (user.disabled or user.role is not Role.ADMIN):
        raise ApiError(ErrorCode.OWN_ACCOUNT, "ask another admin to disable or demote you")


def _fault(pointer: str, message: str) -> ApiError:
    return ApiError(
        ErrorCode.VALIDATION_ERROR,
        "the request does not have the right form",
        details=[Detail(pointer, message)],
    )
