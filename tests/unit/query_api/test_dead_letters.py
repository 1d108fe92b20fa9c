"""Dead letters: list, get and discard."""

from datetime import timedelta

import pytest

from domain.access.permissions import Principal, Role
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
        ("state=open", [5, 4, 3, 2, 1, 0]),
        ("state=discarded", []),
        (f"tracking_number={number(3)}", [3]),
        ("from=2026-03-01T12:02:00Z&to=2026-03-01T12:04:00Z", [3, 2]),
        ("limit=2&offset=1", [4, 3]),
    ],
)
async def test_dead_letters_are_listed_newest_first(api: Api, query: str, expected: list[int]) -> None:
    body = await (await api.get(f"/dead-letters?{query}")).json()
    assert [letter["offset"] for letter in body["data"]] == expected


async def test_cursors_walk_through_the_dead_letters(api: Api) -> None:
    first = await (await api.get("/dead-letters?limit=4")).json()
    cursor = first["pagination"]["next_cursor"]
    rest = await (await api.get(f"/dead-letters?limit=4&cursor={cursor}")).json()
    assert [letter["offset"] for letter in first["data"] + rest["data"]] == [5, 4, 3, 2, 1, 0]
    assert rest["pagination"]["next_cursor"] is None


async def test_dead_letter_is_returned_by_id(api: Api) -> None:
    response = await api.get("/dead-letters/dl_0_3")
    body = await response.json()
    assert (response.status, body["id"], body["reason"]) == (200, "dl_0_3", "unprocessable")
    assert body["timestamp"] == "2026-03-01T12:00:00.000Z"
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("name", ["dl_0_99", "x", "%00", '{"$ne":1}'])
async def test_unknown_dead_letter_is_404(api: Api, name: str) -> None:
    response = await api.get(f"/dead-letters/{name}")
    assert (response.status, (await response.json())["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
@pytest.mark.parametrize("path", ["/dead-letters", "/dead-letters/dl_0_3"])
async def test_only_admins_read_dead_letters(api: Api, who: Principal, path: str) -> None:
    assert (await api.get(path, who)).status == 403


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("reason=$ne", "/reason"),
        ("state=eaten", "/state"),
        ("reason[$ne]=x", "/reason[$ne]"),
        ("tracking_number=99M-", "/tracking_number"),
        ("from=now", "/from"),
        ("cursor=AAAA", "/cursor"),
        ("status=created", "/status"),
    ],
)
async def test_invalid_query_of_dead_letters_is_400(api: Api, query: str, pointer: str) -> None:
    response = await api.get(f"/dead-letters?{query}", ADMIN)
    assert (response.status, (await response.json())["details"][0]["pointer"]) == (400, pointer)


DISCARD = "/dead-letters/dl_0_3/discard"


async def test_discard_of_a_dead_letter_is_logged(api: Api, world: World) -> None:
    response = await api.ask("POST", DISCARD, {"reason": "a self-test"})
    body = await response.json()
    assert (response.status, body["id"], body["state"]) == (200, "dl_0_3", "discarded")
    assert (body["discard"]["by"], body["discard"]["reason"]) == (ADMIN.subject, "a self-test")
    listed = await (await api.get("/dead-letters?state=discarded")).json()
    assert listed["data"] == [body]
    [action] = (await (await api.get("/operator-actions?target=dl_0_3")).json())["data"]
    assert (action["action"], action["by"], action["reason"]) == (
        "dead_letter.discarded",
        ADMIN.subject,
        "a self-test",
    )
    assert action["at"] == body["discard"]["at"]
    again = await api.ask("POST", DISCARD, {"reason": "a self-test"})
    assert (again.status, await again.json()) == (200, body)
    assert len(world.documents.actions) == 1


@pytest.mark.parametrize(
    ("who", "reason"), [(ADMIN, "another"), (Principal("eva", Role.ADMIN), "a self-test")]
)
async def test_first_discard_of_a_dead_letter_stays(api: Api, who: Principal, reason: str) -> None:
    first = await (await api.ask("POST", DISCARD, {"reason": "a self-test"})).json()
    response = await api.ask("POST", DISCARD, {"reason": reason}, who=who)
    body = await response.json()
    assert (response.status, body["error"]) == (409, "DEAD_LETTER_DISCARDED")
    assert body["message"] == "admin_user has discarded it: a self-test"
    assert await (await api.get("/dead-letters/dl_0_3")).json() == first


@pytest.mark.parametrize("name", ["dl_0_99", "x", "%00", "dl_0_99/discard"])
async def test_unknown_dead_letter_cannot_be_discarded(api: Api, name: str) -> None:
    assert (await api.ask("POST", f"/dead-letters/{name}/discard", {"reason": "x"})).status == 404


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
async def test_only_admins_discard_dead_letters(api: Api, world: World, who: Principal) -> None:
    assert (await api.ask("POST", DISCARD, {"reason": "x"}, who=who)).status == 403
    assert world.documents.actions == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": " \u00a0 "}, "/reason"),
        ({"reason": "two\nlines"}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({"reason": 1}, "/reason"),
        ({"reason": "x", "by": "eva"}, "/by"),
    ],
)
async def test_a_discard_has_a_reason(api: Api, body: object, pointer: str) -> None:
    response = await api.ask("POST", DISCARD, body)
    assert (response.status, (await response.json())["details"][0]["pointer"]) == (400, pointer)
