"""Operator actions, in memory."""

from dataclasses import asdict

from domain.access.operator_actions import OperatorAction
from domain.ports.core import Document
from domain.ports.queries import ActionFilter, Page, Window
from tests.support.fakes.faults import Faults
from tests.support.fakes.pages import by_time, page_of
from tests.support.fakes.shipments import Documents


class InMemoryActionLog(Faults):
    """A log of actions beside the documents that they change."""

    def __init__(self, documents: Documents | None = None) -> None:
        super().__init__()
        self.actions = (documents or Documents()).actions

    async def note(self, action: OperatorAction) -> bool:
        """Record an action; False if one with its id is recorded already."""
        with self.around("note"):
            is_new = action.id not in self.actions
            self.actions.setdefault(action.id, document_of(action))
            return is_new

    async def page(self, matching: ActionFilter, window: Window) -> Page:
        """Return a part of the list of actions, newest first."""
        with self.around("page"):
            found = [
                each
                for each in self.actions.values()
                if matching.action in (None, each["action"])
                and matching.target in (None, each["target"])
                and matching.by in (None, each["by"])
                and matching.done.holds(each["at"])
            ]
            return page_of(found, window, names=("at", "id"), order=by_time, newest_first=True)


def document_of(action: OperatorAction) -> Document:
    """Return the stored document of an action."""
    return asdict(action) | {"details": dict(action.details)}
