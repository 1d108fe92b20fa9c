"""GET /dead-letters and /dead-letters/{id}."""

from datetime import timedelta

import pytest

from domain.permissions import Principal
from tests.support.builders import NOON, dead_letter, number
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, Api, World

REASONS = ("unreadable", "unprocessable")


@pytest.fixture(autouse=True)
def letters(world: World) -> None:
    for offset in range(6):
        at = NOON + timedelta(minutes=offset)
        letter = dead_letter(
            offset, reason=REASONS[offset % 2], tracking_number=number(offset), recorded_at=at
        )
        world.documents.dead_letters[letter["id"]] = letter


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1, 0]),
        ("reason=unreadable", [4, 2, 0]),
        (f"tracking_number={number(3)}", [3]),
        ("from=2026-03-01T12:02:00Z&to=2026-03-01T12:04:00Z", [3, 2]),
        ("limit=2&offset=1", [4, 3]),
    ],
)
async def test_they_are_listed_newest_first(api: Api, query: str, expected: list[int]) -> None:
    body = await (await api.get(f"/dead-letters?{query}")).json()
    assert [letter["offset"] for letter in body["data"]] == expected


async def test_a_walk_from_cursor_to_cursor(api: Api) -> None:
    first = await (await api.get("/dead-letters?limit=4")).json()
    cursor = first["pagination"]["next_cursor"]
    rest = await (await api.get(f"/dead-letters?limit=4&cursor={cursor}")).json()
    assert [letter["offset"] for letter in first["data"] + rest["data"]] == [5, 4, 3, 2, 1, 0]
    assert rest["pagination"]["next_cursor"] is None


async def test_one_is_shown(api: Api) -> None:
    answer = await api.get("/dead-letters/dl_0_3")
    body = await answer.json()
    assert (answer.status, body["id"], body["reason"]) == (200, "dl_0_3", "unprocessable")
    assert body["timestamp"] == "2026-03-01T12:00:00.000Z"
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("name", ["dl_0_99", "x", "%00", '{"$ne":1}'])
async def test_what_is_not_there_is_404(api: Api, name: str) -> None:
    answer = await api.get(f"/dead-letters/{name}")
    assert (answer.status, (await answer.json())["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
@pytest.mark.parametrize("path", ["/dead-letters", "/dead-letters/dl_0_3"])
async def test_nobody_else_sees_them(api: Api, who: Principal, path: str) -> None:
    assert (await api.get(path, who)).status == 403


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("reason=$ne", "/reason"),
        ("reason[$ne]=x", "/reason[$ne]"),
        ("tracking_number=99M-", "/tracking_number"),
        ("from=now", "/from"),
        ("cursor=AAAA", "/cursor"),
        ("status=created", "/status"),
    ],
)
async def test_what_makes_no_sense_is_400(api: Api, query: str, pointer: str) -> None:
    answer = await api.get(f"/dead-letters?{query}", ADMIN)
    assert (answer.status, (await answer.json())["details"][0]["pointer"]) == (400, pointer)
