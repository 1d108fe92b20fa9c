"""API keys in the documents of their users, stored as hashes: reading them grants no access."""

from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from domain.access.accounts import ApiKey, User
from domain.access.operator_actions import OperatorAction
from domain.ports.core import Revocation
from storage.mongo.accounts.revocations import MongoRevocationStore
from storage.mongo.accounts.users import user_of
from storage.mongo.database import Database, transacted
from storage.mongo.errors import translated
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import AUTH_USERS

KEYS: Final = "api_keys"


class MongoApiKeyStore:
    """`ApiKeyStore` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database[AUTH_USERS]
        self._revocations = MongoRevocationStore(database)
        self._actions = MongoActionLog(database)

    async def add(self, username: str, key: ApiKey, *, most: int, action: OperatorAction) -> bool:
        """See `ApiKeyStore.add`."""
        has_room = {"_id": {"$eq": username}, f"{KEYS}.{most - 1}": {"$exists": False}}

        async def both(session: AsyncClientSession) -> bool:
            pushed = {"$push": {KEYS: _document_of(key)}}
            added = await self._users.update_one(has_room, pushed, session=session)
            if added.matched_count:
                await self._actions.note(action, session=session)
            return added.matched_count == 1

        return await transacted(self._database, both)

    async def of_user(self, username: str) -> list[ApiKey]:
        """See `ApiKeyStore.of_user`."""
        with translated():
            found = await self._users.find_one({"_id": {"$eq": username}}, [KEYS])
        return [_key_of(each) for each in (found or {}).get(KEYS, ())]

    async def find(self, key_id: str) -> tuple[User, ApiKey] | None:
        """See `ApiKeyStore.find`."""
        with translated():
            found = await self._users.find_one({f"{KEYS}.id": {"$eq": key_id}})
        if found is None:
            return None
        return user_of(found), next(_key_of(each) for each in found[KEYS] if each["id"] == key_id)

    async def remove(
        self, username: str, key_id: str, *, revocation: Revocation, action: OperatorAction
    ) -> bool:
        """See `ApiKeyStore.remove`."""
        owner = {"_id": {"$eq": username}, f"{KEYS}.id": {"$eq": key_id}}

        async def both(session: AsyncClientSession) -> bool:
            removed = await self._users.update_one(owner, {"$pull": {KEYS: {"id": key_id}}}, session=session)
            if removed.matched_count == 0:
                return False
            await self._revocations.record(revocation, session=session)
            await self._actions.note(action, session=session)
            return True

        return await transacted(self._database, both)

    async def touch(self, key_id: str, *, at: datetime) -> None:
        """See `ApiKeyStore.touch`."""
        with translated():
            await self._users.update_one(
                {f"{KEYS}.id": {"$eq": key_id}}, {"$max": {f"{KEYS}.$.last_used_at": at}}
            )


def _document_of(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "secret_hash": key.secret_hash,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
    }


def _key_of(document: dict[str, Any]) -> ApiKey:
    return ApiKey(
        key_id=document["id"],
        secret_hash=document["secret_hash"],
        created_at=document["created_at"],
        last_used_at=document["last_used_at"],
    )
