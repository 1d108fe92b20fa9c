"""Pages of dead letters: the list, one of them, and the second look before an act."""

import re
from datetime import timedelta

import pytest

from domain.processing.dead_letter import DeadLetterState
from portal.console.operating.hex_lines import HexLine, hex_lines
from tests.support.builders import NOON, dead_letter, number
from tests.unit.portal.console.conftest import Console
from tests.unit.query_api.conftest import World as ApiWorld

PATH = "/console/dead-letters"
REASONS = ("unreadable", "unprocessable")
EVIL = "<script>alert('1')</script>&\"'"


def ids(page: str) -> list[str]:
    """Return the dead letters of a page's table."""
    return re.findall(r'name="id" value="(dl_0_\d+)" aria-label', page)


def add(world: ApiWorld, count: int, **fields: object) -> None:
    for offset in range(count):
        at = NOON + timedelta(minutes=offset)
        one = dead_letter(offset, reason=REASONS[offset % 2], tracking_number=number(offset), recorded_at=at)
        world.documents.dead_letters[one["id"]] = {**one, **fields}


async def test_open_ones_are_listed_and_counted_by_reason(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 5)
    api_world.documents.dead_letters["dl_0_9"] = dead_letter(9, state=DeadLetterState.DISCARDED)
    page = await operator.page(PATH)
    assert ids(page) == ["dl_0_4", "dl_0_3", "dl_0_2", "dl_0_1", "dl_0_0"]
    assert re.findall(r"<strong>(\d+)</strong>", page)[:3] == ["3", "2", "0"]
    assert ids(await operator.page(f"{PATH}?reason=unprocessable")) == ["dl_0_3", "dl_0_1"]
    assert ids(await operator.page(f"{PATH}?state=discarded")) == ["dl_0_9"]
    assert len(ids(await operator.page(f"{PATH}?state=all"))) == 6
    assert ids(await operator.page(f"{PATH}?tracking_number={number(2)}")) == ["dl_0_2"]


async def test_an_empty_list_says_what_would_be_there(operator: Console) -> None:
    assert "None match." in await operator.page(PATH)


async def test_a_long_list_goes_on_with_the_same_filter(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 60, reason="unreadable")
    page = await operator.page(f"{PATH}?reason=unreadable&lang=es")
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    target = older[1].replace("&amp;", "&")
    assert "reason=unreadable" in target
    assert "lang=es" in target
    assert len(ids(await operator.page(target))) == 10


async def test_a_wrong_filter_is_an_error_page_of_the_api(operator: Console) -> None:
    page = await operator.page(f"{PATH}?from=yesterday", status=400)
    assert "/from" in page
    assert "VALIDATION_ERROR" in page


async def test_foreign_text_is_shown_as_text(operator: Console, api_world: ApiWorld) -> None:
    foreign = {"error": EVIL, "key": EVIL, "value_preview": EVIL, "headers": [{"name": EVIL, "value": EVIL}]}
    add(api_world, 1, **foreign)
    for path in (PATH, f"{PATH}/dl_0_0", f"{PATH}?tracking_number={number(0)}"):
        page = await operator.page(path)
        assert "alert" in page
        assert "<script>alert" not in page


async def test_one_shows_its_bytes_its_place_and_what_was_done(
    operator: Console, api_world: ApiWorld
) -> None:
    add(api_world, 1, value_preview="\ufffd{", value_hex="ff7b")
    await operator.post(f"{PATH}/discard", {"id": "dl_0_0", "why": "a scanner's self-test"})
    page = await operator.page(f"{PATH}/dl_0_0")
    assert "0000  ff 7b" in page
    assert 'href="/console/partitions/0"' in page
    assert "a scanner&#39;s self-test" in page
    assert "dead_letter.discarded" in page
    await operator.page(f"{PATH}/dl_0_1", status=404)


@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_an_act_on_selected_ones_is_asked_first(
    operator: Console, api_world: ApiWorld, act: str
) -> None:
    add(api_world, 5)
    page = await operator.page(f"{PATH}?act={act}&id=dl_0_3&id=dl_0_1&state=open")
    assert f"{act.title()} 2 dead letters?" in page
    assert re.findall(r'type="hidden" name="id" value="(\w+)"', page) == ["dl_0_3", "dl_0_1"]
    assert 'name="typed"' not in page
    assert "Nothing is selected." in await operator.page(f"{PATH}?act={act}")


async def test_an_act_on_all_concerns_those_that_were_counted(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 5)
    page = await operator.page(f"{PATH}?act=discard-all&reason=unprocessable")
    assert "Discard 2 dead letters?" in page
    fields = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.split('id="second-look"')[1])
    )
    late = dead_letter(9, reason="unprocessable", recorded_at=NOON + timedelta(days=900_000))
    api_world.documents.dead_letters["dl_0_9"] = late
    page = await operator.shown(f"{PATH}/discard", {**fields, "why": "a test"})
    assert "2 of 2 dead letters are discarded" in page
    assert late["state"] == "open"


async def test_discards_have_a_result_each(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 3)
    await operator.post(f"{PATH}/discard", {"id": "dl_0_1", "why": "the first reason"})
    page = await operator.shown(f"{PATH}/discard", {"id": ["dl_0_0", "dl_0_1"], "why": "another"})
    assert "1 of 2 dead letters are discarded" in page
    assert "has discarded it: the first reason" in page
    states = {each["id"]: each["state"] for each in api_world.documents.dead_letters.values()}
    assert states == {"dl_0_0": "discarded", "dl_0_1": "discarded", "dl_0_2": "open"}


async def test_a_discard_needs_a_reason(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 1)
    page = await operator.shown(f"{PATH}/discard", {"id": "dl_0_0", "why": " "}, status=400)
    assert "Say why they are no longer needed." in page
    assert 'type="hidden" name="id" value="dl_0_0"' in page
    assert api_world.documents.dead_letters["dl_0_0"]["state"] == "open"


async def test_from_a_hundred_on_their_number_is_typed(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 120)
    page = await operator.page(f"{PATH}?act=discard-all")
    assert "Type 120 to confirm" in page
    for typed in ("", "12", "yes"):
        page = await operator.shown(f"{PATH}/discard", {"why": "a test", "typed": typed}, status=400)
        assert "Type the number of dead letters to confirm." in page
    page = await operator.shown(f"{PATH}/discard", {"why": "a test", "typed": "120"})
    assert "120 of 120 dead letters are discarded" in page


async def test_more_than_a_thousand_are_handled_oldest_first(operator: Console, api_world: ApiWorld) -> None:
    add(api_world, 1_020)
    page = await operator.page(f"{PATH}?act=discard-all")
    assert "1,020 match. At most 1,000 are handled at once: the oldest." in page
    await operator.shown(f"{PATH}/discard", {"why": "a test", "typed": "1000"})
    left = {each["id"] for each in api_world.documents.dead_letters.values() if each["state"] == "open"}
    assert left == {f"dl_0_{offset}" for offset in range(1_000, 1_020)}


def test_bytes_are_shown_sixteen_in_a_line() -> None:
    raw = bytes(range(0x1E, 0x30))
    assert hex_lines(raw.hex()) == [
        HexLine("0000", "1e 1f 20 21 22 23 24 25  26 27 28 29 2a 2b 2c 2d", "..\x20!\"#$%&'()*+,-"),
        HexLine("0010", "2e 2f", "./"),
    ]
    assert hex_lines("") == []
