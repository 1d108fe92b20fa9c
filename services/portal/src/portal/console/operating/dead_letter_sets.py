"""Sets of dead letters that an act concerns: those that were selected, or all that match a filter."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from portal.console.api import LARGEST_PAGE, Json, UserApi, path_to

MOST_AT_ONCE: Final = 1_000
FARTHEST_OFFSET: Final = 10_000
"""The API's greatest offset."""

_PATH: Final = "/dead-letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Filter of dead letters, by the names of the address.

    Attributes:
        state: `open` by default; `all` for any.
        start, end: bounds of the time when they were recorded: `from` is inclusive, `to` exclusive.
    """

    state: str = "open"
    reason: str = ""
    tracking_number: str = ""
    start: str = ""
    end: str = ""

    def query(self) -> dict[str, str]:
        """Return the parameters of the API."""
        state = "" if self.state == "all" else self.state
        return {**self._others(), "state": state}

    def address(self) -> dict[str, str | None]:
        """Return the parameters of a page with this filter."""
        known = {**self._others(), "state": self.state}
        return {name: value or None for name, value in known.items()}

    def _others(self) -> dict[str, str]:
        return {
            "reason": self.reason,
            "tracking_number": self.tracking_number,
            "from": self.start,
            "to": self.end,
        }


def filter_of(fields: Mapping[str, str]) -> Filter:
    """Return the filter that an address or a form has."""
    names = {"from": "start", "to": "end"}
    known = {names.get(name, name): value.strip() for name, value in fields.items() if value.strip()}
    return Filter(**{name: known[name] for name in asdict(Filter()) if name in known})


@dataclass(frozen=True, slots=True)
class Selection:
    """Dead letters that an act concerns.

    Attributes:
        ids: those that were selected; empty: all that match the filter.
    """

    ids: tuple[str, ...]
    matching: Filter

    async def count(self, api: UserApi) -> int:
        """Return how many they are."""
        if self.ids:
            return len(self.ids)
        return (await api.list_page(_PATH, limit=1, **self.matching.query())).total

    async def collect(self, api: UserApi) -> list[Json]:
        """Return them in the order of the log, the oldest `MOST_AT_ONCE` of them."""
        found = await self._selected(api) if self.ids else await self._matching(api)
        return sorted(found, key=lambda each: (each["topic"], each["partition"], each["offset"]))

    async def _selected(self, api: UserApi) -> Sequence[Json]:
        return await asyncio.gather(*(api.get(path_to("dead-letters", each)) for each in self.ids))

    async def _matching(self, api: UserApi) -> Sequence[Json]:
        total = await self.count(api)
        first = min(max(0, total - MOST_AT_ONCE), FARTHEST_OFFSET)  # the API lists the newest first
        found: list[dict[str, Any]] = []
        for offset in range(first, min(total, FARTHEST_OFFSET + LARGEST_PAGE), LARGEST_PAGE):
            page = await api.list_page(_PATH, limit=LARGEST_PAGE, offset=offset, **self.matching.query())
            found += page.data
        return found[-MOST_AT_ONCE:]


def is_reachable(total: int) -> bool:
    """Return whether the oldest of so many can be reached by the API's offsets."""
    return total <= FARTHEST_OFFSET
