"""Actions of an operator on a partition."""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.processing.halts import PartitionView, Resumption, Start
from storage.mongo.processing.partition_state import MongoPartitionControl
from tests.support.site import Site
from tests.support.waiting import wait_for


class Operator:
    """Operator that views and resumes a partition."""

    def __init__(self, site: Site, number: int) -> None:
        self._control = MongoPartitionControl(site.database, site.topics.events)
        self._number = number

    async def view(self) -> PartitionView | None:
        return await self._control.partition(self._number)

    async def sees(self, holds: Callable[[PartitionView], bool], what: str) -> PartitionView:
        async def asked() -> bool:
            view = await self.view()
            return view is not None and holds(view)

        await wait_for(asked, timeout_s=40, what=what)
        view = await self.view()
        assert view is not None
        return view

    async def halted(self) -> PartitionView:
        return await self.sees(lambda view: view.halt is not None, "a halted partition")

    async def resume(self, start: Start) -> None:
        view = await self.halted()
        assert view.halt is not None
        resumption = Resumption(
            halted_since=view.halt.since,
            start=start,
            reason="it is repaired",
            requested_by="admin_user",
            requested_at=datetime.now(UTC),
        )
        await self._control.resume(view.name, resumption)
