"""Log of operators' actions."""

from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from domain.access.operator_actions import OperatorAction
from domain.ports.queries import ActionFilter, Page, Window
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.queries import lists
from storage.mongo.queries.paging import MongoList
from storage.mongo.schema import OPERATOR_ACTIONS

FIELDS: Final = ("at", "by", "action", "target", "reason", "details")


class MongoActionLog:
    """`ActionLog` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._actions = database[OPERATOR_ACTIONS]
        self._list = MongoList(self._actions, FIELDS, id_as="id", time="at")

    async def note(self, action: OperatorAction, *, session: AsyncClientSession | None = None) -> bool:
        """Record an action; return False if it is recorded already. Raises the driver's errors."""
        fields = {
            "at": action.at,
            "by": action.by,
            "action": action.action.value,
            "target": action.target,
            "reason": action.reason,
            "details": dict(action.details),
        }
        noted = await self._actions.update_one(
            {"_id": action.id}, {"$setOnInsert": fields}, upsert=True, session=session
        )
        return noted.upserted_id is not None

    async def page(self, matching: ActionFilter, window: Window) -> Page:
        """See `ActionLog.page`."""
        with translated():
            return await self._list.page(lists.operator_actions(matching), window)
