"""Replay and discard of dead letters, one or many, with a result for each."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from portal.console.api import LARGEST_PAGE, CallFailed, Json, UserApi, path_to
from portal.console.frame import api, console_page, see
from portal.console.operating.dead_letter_sets import Filter, Selection, filter_of
from portal.console.operating.dead_letters import PATH, SecondLook, list_response
from portal.web.forms import read_form
from portal.web.languages import message
from portal.web.rendering import render

AT_A_TIME: Final = 8
"""Discards in flight."""

_TYPE_THE_NUMBER: Final = message("Type the number of dead letters to confirm.")
_TOO_MANY: Final = message("Too many match. Narrow the filter.")
_GIVE_A_REASON: Final = message("Say why they are no longer needed.")
_DONE: Final = {"replay": "queued", "discard": "discarded"}
_NOTICES: Final = {"replay": "replayed", "discard": "discarded"}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ActForm(BaseModel):
    """The second look, sent: the dead letters by id, or the filter that they match."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Annotated[list[str], BeforeValidator(_as_list), Field(max_length=LARGEST_PAGE)] = []
    state: str = "open"
    reason: str = ""
    tracking_number: str = ""
    start: Annotated[str, Field(alias="from")] = ""
    end: Annotated[str, Field(alias="to")] = ""
    why: Annotated[str, Field(max_length=2_000)] = ""
    typed: str = ""

    def selection(self) -> Selection:
        """Return the dead letters."""
        matching = filter_of(self.model_dump(include=set(Filter.__slots__)))
        return Selection(tuple(dict.fromkeys(self.id)), matching)


_FORM: Final = TypeAdapter(ActForm)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an act on one dead letter.

    Attributes:
        outcome: `queued`, `discarded`, `not_found`, `error`, `rejected` or `untouched`.
        message: why, in English; empty where the outcome says it.
        event_id: of a replayed one, whose outcome follows.
    """

    id: str
    tracking_number: str | None
    outcome: str
    message: str = ""
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class ResultsView:
    """The page of results.

    Attributes:
        act: `replay` or `discard`.
        matching: the filter that led here.
    """

    act: str
    results: Sequence[Result]
    matching: Filter

    @property
    def done(self) -> int:
        """Number of those for which the act has succeeded."""
        return self.counts[_DONE[self.act]]

    @property
    def counts(self) -> Counter[str]:
        """Number of each outcome."""
        return Counter(each.outcome for each in self.results)


@console_page(Permission.DEAD_LETTER_REPLAY)
async def replay(request: web.Request) -> web.StreamResponse:
    """Replay dead letters in the order of the log, and show each result."""
    form = await read_form(request, _FORM)
    return await _act(request, form, "replay")


@console_page(Permission.DEAD_LETTER_DISCARD)
async def discard(request: web.Request) -> web.StreamResponse:
    """Discard dead letters, and show each result."""
    form = await read_form(request, _FORM)
    return await _act(request, form, "discard")


async def _act(request: web.Request, form: ActForm, act: str) -> web.StreamResponse:
    user_api, selection = api(request), form.selection()
    look = SecondLook(act, selection, await selection.count(user_api), form.why)
    problem = _problem_of(look, form)
    if problem is not None:
        asked = SecondLook(act, selection, look.count, form.why, problem)
        return await list_response(request, selection.matching, asked, HTTPStatus.BAD_REQUEST)
    concerned = await selection.collect(user_api)
    if act == "replay":
        results = await _replayed(user_api, concerned)
    else:
        results = await _discarded(user_api, concerned, form.why)
    if len(results) == 1 and results[0].outcome == _DONE[act]:
        return see(request, PATH + path_to(results[0].id), notice=_NOTICES[act])
    return render(request, "console/dead_letter_results.html", ResultsView(act, results, selection.matching))


def _problem_of(look: SecondLook, form: ActForm) -> str | None:
    if not look.is_possible:
        return _TOO_MANY
    if look.must_type and form.typed.strip() != str(look.concerned):
        return _TYPE_THE_NUMBER
    return _GIVE_A_REASON if look.act == "discard" and not form.why.strip() else None


async def _replayed(user_api: UserApi, concerned: Sequence[Json]) -> list[Result]:
    """Replay batch after batch; after one that failed, later events of its shipments must not pass it."""
    results: list[Result] = []
    for start in range(0, len(concerned), LARGEST_PAGE):
        batch = concerned[start : start + LARGEST_PAGE]
        results += await _replayed_batch(user_api, batch)
        if any(each.outcome == "error" for each in results):
            rest = concerned[start + LARGEST_PAGE :]
            return results + [_result(each, "untouched") for each in rest]
    return results


async def _replayed_batch(user_api: UserApi, batch: Sequence[Json]) -> list[Result]:
    try:
        response = await user_api.post("/dead-letters/replay", {"ids": [each["id"] for each in batch]})
    except CallFailed as failed:
        return [_result(each, "error", failed.message) for each in batch]
    return [
        _result(each, item["status"], item.get("message", ""), item.get("event_id"))
        for each, item in zip(batch, response["items"], strict=True)
    ]


async def _discarded(user_api: UserApi, concerned: Sequence[Json], reason: str) -> list[Result]:
    slots = asyncio.Semaphore(AT_A_TIME)

    async def one(dead_letter: Json) -> Result:
        async with slots:
            try:
                await user_api.post(path_to("dead-letters", dead_letter["id"], "discard"), {"reason": reason})
            except CallFailed as failed:
                details = "; ".join(f"{each.pointer} {each.message}" for each in failed.problems)
                return _result(dead_letter, "rejected", ": ".join(filter(None, (failed.message, details))))
            return _result(dead_letter, "discarded")

    return list(await asyncio.gather(*map(one, concerned)))


def _result(dead_letter: Json, outcome: str, why: str = "", event_id: str | None = None) -> Result:
    return Result(dead_letter["id"], dead_letter["tracking_number"], outcome, why, event_id)
