"""Use cases: create, change and delete users and their API keys."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from domain.access.accounts import (
    ApiKey,
    User,
    api_key_created,
    api_key_removed,
    own_password_changed,
    user_changed,
    user_created,
)
from domain.access.operator_actions import OperatorAction
from domain.access.permissions import Principal, Role
from domain.errors import StoreUnavailable
from domain.ports.core import ApiKeyStore, Clock, Revocation, UserStore
from httpkit.middleware.auth import Token
from httpkit.request.bodies import validation_error
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from query_api.schemas.bodies import NewUser, UserChange, client_fault, sources_fault
from query_api.schemas.passwords import password_fault
from query_api.use_cases.logins import secret_hash
from query_api.use_cases.token_revocation import Revoker
from storage.mongo.accounts.users import PasswordHasher

MOST_KEYS: Final = 20
ATTEMPTS: Final = 3


class Accounts:
    """Management of users; a change of rights revokes the user's tokens."""

    def __init__(self, users: UserStore, hasher: PasswordHasher, revoker: Revoker, clock: Clock) -> None:
        self._users = users
        self._hasher = hasher
        self._revoker = revoker
        self._clock = clock

    async def create(self, wanted: NewUser, *, by: Principal) -> User:
        """Create a user.

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
            allowed_sources=wanted.allowed_sources or (),
        )
        if not await self._users.add(user, action=user_created(user, by=by.subject)):
            raise ApiError(ErrorCode.USERNAME_TAKEN, "there is a user of that name")
        return user

    async def get(self, username: str) -> User:
        """Return a user.

        Raises:
            ApiError: 404 if there is none with that name.
        """
        user = await self._users.find(username)
        if user is None:
            raise ApiError(ErrorCode.USER_NOT_FOUND, "there is no user of that name")
        return user

    async def change(self, username: str, change: UserChange, *, by: Principal) -> User:
        """Change a user and revoke its tokens, which carry the old rights.

        Raises:
            ApiError: 404, 400 for an invalid combination, 409 for an admin that would lock itself out.
            LastAdmin: no admin would be left to manage users.
        """
        secret = None if change.password is None else await self._hashed(username, change.password)
        for _ in range(ATTEMPTS):
            old = await self.get(username)
            changed = replace(old, **_fields(change, secret))
            _require_sense(changed, by)
            if changed == old:
                return old
            new = replace(changed, updated_at=self._later_than(old))
            revocation = self._revoker.of_user(username, new.updated_at)
            if await self._replace(old, new, [revocation], user_changed(old, new, by=by.subject)):
                return new
        raise StoreUnavailable("others change this user at the same time")

    async def change_own_password(self, user: User, password: str, token: Token) -> None:
        """Change a user's password and revoke all its tokens except the current one.

        Args:
            user: as read when the current password was checked.
            password: the new password.
            token: the token of the request, which stays valid.

        Raises:
            ApiError: 400 for an unacceptable password.
            StoreUnavailable: nothing was changed, or the result is unknown.
        """
        secret = await self._hashed(user.username, password, pointer="/new_password")
        new = replace(user, password_hash=secret, updated_at=self._later_than(user))
        revocations = self._revoker.of_all_but(token, user.username, new.updated_at)
        if not await self._replace(user, new, revocations, own_password_changed(new)):
            raise StoreUnavailable("others change this user at the same time")

    async def _replace(
        self, old: User, new: User, revocations: Sequence[Revocation], action: OperatorAction
    ) -> bool:
        is_done = await self._users.replace(old, new, revocations=revocations, action=action)
        if is_done:
            await self._revoker.announce(*revocations)
        return is_done

    def _later_than(self, user: User) -> datetime:
        return max(self._clock.now(), user.updated_at + timedelta(milliseconds=1))

    async def _hashed(self, username: str, password: str, *, pointer: str = "/password") -> str:
        fault = password_fault(password, username)
        if fault is not None:
            raise _fault(pointer, fault)
        return await self._hasher.hash(password)


class ApiKeys:
    """Management of API keys, each shown once."""

    def __init__(self, accounts: Accounts, keys: ApiKeyStore, revoker: Revoker, clock: Clock) -> None:
        self._accounts = accounts
        self._keys = keys
        self._revoker = revoker
        self._clock = clock

    async def create(self, username: str, *, by: Principal) -> tuple[ApiKey, str]:
        """Create a key and return it with its text, which is not stored.

        Raises:
            ApiError: 404 if there is no such user, 409 if it has `MOST_KEYS` keys.
        """
        await self._accounts.get(username)
        key_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        secret = secrets.token_urlsafe(32)
        key = ApiKey(key_id=key_id, secret_hash=secret_hash(secret), created_at=self._clock.now())
        action = api_key_created(username, key, by=by.subject)
        if not await self._keys.add(username, key, most=MOST_KEYS, action=action):
            raise ApiError(ErrorCode.API_KEY_LIMIT_REACHED, f"a user has at most {MOST_KEYS} API keys")
        return key, f"wb_live_{key_id}_{secret}"

    async def of_user(self, username: str) -> list[ApiKey]:
        """Return the keys of a user.

        Raises:
            ApiError: 404 if there is no such user.
        """
        await self._accounts.get(username)
        return await self._keys.of_user(username)

    async def remove(self, username: str, key_id: str, *, by: Principal) -> None:
        """Delete a key and revoke its tokens.

        Raises:
            ApiError: 404 if there is no such user or key.
        """
        revocation = self._revoker.of_key(key_id)
        action = api_key_removed(username, key_id, by=by.subject, at=self._clock.now())
        if not await self._keys.remove(username, key_id, revocation=revocation, action=action):
            await self._accounts.get(username)
            raise ApiError(ErrorCode.API_KEY_NOT_FOUND, "the user has no such API key")
        await self._revoker.announce(revocation)


def _fields(change: UserChange, secret: str | None) -> dict[str, Any]:
    """Return the fields to change; client and allowed sources are removed with the role they belong to."""
    given = change.model_dump(exclude_none=True, exclude={"password"})
    if given.get("role", Role.CLIENT) is not Role.CLIENT:
        given.setdefault("client_id", None)
    if given.get("role", Role.PRODUCER) is not Role.PRODUCER:
        given.setdefault("allowed_sources", ())
    return given if secret is None else given | {"password_hash": secret}


def _require_sense(user: User, by: Principal) -> None:
    fault = client_fault(user.role, user.client_id)
    if fault is not None:
        raise _fault("/client_id", fault)
    fault = sources_fault(user.role, user.allowed_sources)
    if fault is not None:
        raise _fault("/allowed_sources", fault)
    if user.username == by.subject and (user.disabled or user.role is not Role.ADMIN):
        raise ApiError(ErrorCode.OWN_ACCOUNT, "ask another admin to disable or demote you")


def _fault(pointer: str, message: str) -> ApiError:
    return validation_error([Detail(pointer, message)])
