"""Users in MongoDB, and the hashing of their passwords."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, TypeVar

import bcrypt
import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from domain.access.accounts import User, is_active_admin
from domain.access.operator_actions import OperatorAction
from domain.access.permissions import Role
from domain.errors import BusinessError, LastAdmin
from domain.ports.core import Revocation, UserStore
from storage.mongo.accounts.hashing_turns import MAX_WAITING, Turns
from storage.mongo.accounts.revocations import MongoRevocationStore
from storage.mongo.database import Database, transacted
from storage.mongo.development_users import DEVELOPMENT_PASSWORD, SEEDS
from storage.mongo.errors import translated
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import AUTH_USERS

DEFAULT_COST: Final = 12
MAX_PASSWORD_BYTES: Final = 72
HASHING_THREADS: Final = 2

T = TypeVar("T")


class PasswordTooLong(BusinessError):
    """The password is longer than bcrypt supports."""


class PasswordHasher:
    """Runs bcrypt in threads of its own: a hash takes a quarter of a second, outside of the event loop."""

    def __init__(
        self, *, cost: int = DEFAULT_COST, threads: int = HASHING_THREADS, max_waiting: int = MAX_WAITING
    ) -> None:
        self._cost = cost
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt")
        self._turns = Turns(threads, max_waiting=max_waiting)
        # Checked for a user that does not exist, so that the response takes as long.
        self._dummy = bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost)).decode()

    async def hash(self, password: str) -> str:
        """Return a salted hash; waits for a free thread.

        Raises:
            PasswordTooLong: more than `MAX_PASSWORD_BYTES` in UTF-8.
            NoTurn: too many requests wait already.
        """
        secret = password.encode()
        if len(secret) > MAX_PASSWORD_BYTES:
            raise PasswordTooLong(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
        return (await self._in_thread(bcrypt.hashpw, secret, bcrypt.gensalt(self._cost), None)).decode()

    async def verify(
        self, password: str, password_hash: str | None, *, stranger_at: str | None = None
    ) -> bool:
        """Return True if a password is correct; waits for a free thread.

        Args:
            password: as typed. One that is too long is wrong, and takes as long as any other.
            password_hash: of the user; None if there is no such user, which takes as long.
            stranger_at: the address, if the user has not logged in from there before: such requests alternate
                with the others, address by address.

        Raises:
            AddressCrowded: too many requests of this address wait already.
            NoTurn: too many requests wait already.
        """
        secret = password.encode()
        known = (password_hash or self._dummy).encode()
        matches = await self._in_thread(bcrypt.checkpw, secret[:MAX_PASSWORD_BYTES], known, stranger_at)
        return matches and password_hash is not None and len(secret) <= MAX_PASSWORD_BYTES

    def close(self) -> None:
        """End the threads; blocks until hashes in flight are done."""
        self._threads.shutdown(cancel_futures=True)

    async def _in_thread(
        self, work: Callable[[bytes, bytes], T], secret: bytes, salt: bytes, address: str | None
    ) -> T:
        async with self._turns.turn(address):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, secret, salt)


class _NameTaken(Exception):
    """The user name is taken."""


class MongoUserStore:
    """`UserStore` on MongoDB."""

    def __init__(self, database: Database, *, development: bool = False) -> None:
        """Create a store on a database.

        Args:
            database: of the users.
            development: True if a development admin counts as an admin.
        """
        self._database = database
        self._development = development
        self._users = database[AUTH_USERS]
        self._revocations = MongoRevocationStore(database)
        self._actions = MongoActionLog(database)

    async def find(self, username: str) -> User | None:
        """See `UserStore.find`."""
        with translated():
            found = await self._users.find_one({"username": {"$eq": username}})
        return None if found is None else user_of(found)

    async def page(self, *, limit: int, offset: int) -> tuple[list[User], int]:
        """See `UserStore.page`."""
        with translated():
            ordered = self._users.find({}, sort=[("username", pymongo.ASCENDING)])
            found = await ordered.skip(offset).limit(limit).to_list()
            total = await self._users.count_documents({})
        return [user_of(document) for document in found], total

    async def add(self, user: User, *, action: OperatorAction | None = None) -> bool:
        """See `UserStore.add`."""

        async def both(session: AsyncClientSession) -> bool:
            try:
                await self._users.insert_one(_document_of(user), session=session)
            except DuplicateKeyError:  # MongoDB has aborted the transaction
                raise _NameTaken from None
            if action is not None:
                await self._actions.note(action, session=session)
            return True

        try:
            return await transacted(self._database, both)
        except _NameTaken:
            return False

    async def replace(
        self, old: User, new: User, *, revocations: Sequence[Revocation], action: OperatorAction
    ) -> bool:
        """See `UserStore.replace`."""

        async def all_of_it(session: AsyncClientSession) -> bool:
            if self._is_admin(old) and not self._is_admin(new):
                await self._require_another_admin(old.username, session)
            # Not the whole document: it holds the API keys too.
            changed = await self._users.update_one(
                {"_id": {"$eq": old.username}, "updated_at": old.updated_at},
                {"$set": _fields_of(new)},
                session=session,
            )
            if changed.matched_count == 0:
                return False
            for revocation in revocations:
                await self._revocations.record(revocation, session=session)
            await self._actions.note(action, session=session)
            return True

        return await transacted(self._database, all_of_it)

    def _is_admin(self, user: User) -> bool:
        return is_active_admin(user, development=self._development)

    async def _require_another_admin(self, username: str, session: AsyncClientSession) -> None:
        """Write to all other admins: if two admins disable each other at once, one write conflicts."""
        others: dict[str, Any] = {
            "_id": {"$ne": username},
            "role": Role.ADMIN.value,
            "disabled": False,
        }
        if not self._development:
            others["seeded"] = {"$ne": True}
        left = await self._users.update_many(others, {"$inc": {"counted_on": 1}}, session=session)
        if left.matched_count == 0:
            raise LastAdmin("this is the last admin who may log in")


async def seed_development_users(
    users: UserStore, hasher: PasswordHasher, *, development: bool, now: datetime
) -> None:
    """Add missing development users; idempotent, also for several replicas at once.

    Raises:
        PermissionError: this is not a development environment; the password of these users is public.
    """
    if not development:
        raise PermissionError("development users are for ENV=development only")
    for seed in SEEDS:
        if await users.find(seed.username) is None:
            password_hash = await hasher.hash(DEVELOPMENT_PASSWORD)
            await users.add(
                User(
                    username=seed.username,
                    password_hash=password_hash,
                    role=seed.role,
                    client_id=seed.client_id,
                    created_at=now,
                    updated_at=now,
                    seeded=True,
                )
            )


def user_of(document: dict[str, Any]) -> User:
    """Return the user of a document of `auth_users`."""
    return User(
        username=document["username"],
        password_hash=document["password_hash"],
        role=Role(document["role"]),
        client_id=document["client_id"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        disabled=document["disabled"],
        allowed_sources=tuple(document.get("allowed_sources", ())),
        seeded=document.get("seeded", False),
    )


def _document_of(user: User) -> dict[str, Any]:
    return {"_id": user.username, **_fields_of(user)}


def _fields_of(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "password_hash": user.password_hash,
        "role": user.role.value,
        "client_id": user.client_id,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "disabled": user.disabled,
        "allowed_sources": list(user.allowed_sources),
        "seeded": user.seeded,
    }
