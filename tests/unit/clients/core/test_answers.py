"""Errors and answers as a program sees them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.support.scripted_server import Action, ScriptedServer, answer, error
from tests.unit.clients.core.conftest import Use
from waybill import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedResponse,
    Waybill,
)

NUMBER = "99M-GMPWC6W7SP2G"
GET = lambda client: client.shipments.get(NUMBER)  # noqa: E731 - a call
PROBLEMS = [{"pointer": "/weight_kg", "message": "must be greater than 0"}]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (405, ApiError),
        (409, Conflict),
        (412, PreconditionFailed),
        (422, BadRequest),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_each_status_has_its_error(
    use: Use, server: ScriptedServer, status: int, kind: type[ApiError]
) -> None:
    server.play(error(status, "CODE", "it says why", x_request_id="01J"))
    with pytest.raises(ApiError, match="it says why") as failed:
        use(GET, retries=0)
    assert type(failed.value) is kind
    assert (failed.value.status_code, failed.value.code) == (status, "CODE")
    assert failed.value.request_id == "01J"


def test_an_error_says_what_is_wrong_and_where(use: Use, server: ScriptedServer) -> None:
    body = {"error": "VALIDATION_ERROR", "message": "validation failed: 1 problem", "details": PROBLEMS}
    server.play(answer(400, body, x_request_id="01J"))
    with pytest.raises(BadRequest) as failed:
        use(GET)
    assert str(failed.value) == (
        "400 VALIDATION_ERROR: validation failed: 1 problem\n"
        "  /weight_kg: must be greater than 0\n"
        "  request id: 01J"
    )
    (problem,) = failed.value.details
    assert (problem.pointer, problem.message) == ("/weight_kg", "must be greater than 0")


def test_a_conflict_says_until_when_the_event_is_held(use: Use, server: ScriptedServer) -> None:
    body = {
        "error": "INVALID_TRANSITION",
        "message": "the shipment is created; picked_up or cancelled may follow",
        "held_until": "2026-01-02T00:00:00.000Z",
    }
    server.play(answer(409, body))
    with pytest.raises(Conflict) as failed:
        use(GET)
    assert failed.value.held_until == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("body", [{}, {"details": "x", "held_until": 5}, {"details": [None]}])
def test_a_conflict_of_another_kind_says_none_of_it(
    use: Use, server: ScriptedServer, body: dict[str, object]
) -> None:
    server.play(answer(409, body))
    with pytest.raises(Conflict) as failed:
        use(GET)
    assert (failed.value.held_until, failed.value.details) == (None, ())


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (answer(200, b"<html>Log in to this network", content_type="text/html"), "is no JSON but text/html"),
        (answer(200, {"tracking_number": 1}), "the response is no Shipment: /"),
        (answer(200, [1]), "the response is no Shipment"),
        (answer(200), "the response is no Shipment"),
    ],
)
def test_an_answer_of_somebody_else_is_an_error(
    use: Use, server: ScriptedServer, response: Action, said: str
) -> None:
    server.play(response)
    with pytest.raises(UnexpectedResponse, match=said):
        use(GET)


def test_an_error_of_a_proxy_is_named(use: Use, server: ScriptedServer) -> None:
    server.play(answer(502, b"<html>", content_type="text/html"))
    with pytest.raises(
        ServerError, match="Bad Gateway; the response is no JSON but text/html: is 127"
    ) as failed:
        use(GET, retries=0)
    assert failed.value.code == ""


def page(names: list[str], cursor: str | None) -> Action:
    users = [user(name) for name in names]
    pagination = {"total": 3, "limit": 2, "offset": 0, "has_next": cursor is not None, "next_cursor": cursor}
    return answer(200, {"data": users, "pagination": pagination})


def user(name: str) -> dict[str, object]:
    now = "2026-01-01T00:00:00.000Z"
    return {
        "id": name,
        "at": now,
        "by": "ana",
        "action": "key.released",
        "target": "x",
        "reason": None,
        "details": {},
        "username": name,
        "role": "admin",
        "client_id": None,
        "disabled": False,
        "allowed_sources": [],
        "seeded": False,
        "created_at": now,
        "updated_at": now,
    }


def test_a_list_goes_from_cursor_to_cursor(use: Use, server: ScriptedServer) -> None:
    server.play(page(["a", "b"], "next"), page(["c"], None))
    found = use(lambda client: client.operator_actions.list(by="ana", limit=2))
    assert [each.id for each in found] == ["a", "b", "c"]
    assert [each.query for each in server.received] == [
        {"by": "ana", "limit": "2"},
        {"by": "ana", "limit": "2", "cursor": "next"},
    ]


def test_a_list_is_fetched_as_far_as_it_is_read(server: ScriptedServer, use: Use) -> None:
    server.play(page(["a", "b"], "next"), error(500, "INTERNAL_ERROR"))
    first = use(lambda client: client.operator_actions.list().first_page())
    assert ([each.id for each in first.data], first.pagination.total) == (["a", "b"], 3)
    assert len(server.received) == 1


def test_a_list_without_cursors_goes_by_offset(use: Use, server: ScriptedServer) -> None:
    def users(names: list[str], offset: int, *, has_next: bool) -> Action:
        pagination = {"total": 3, "limit": 2, "offset": offset, "has_next": has_next}
        return answer(200, {"data": [user(name) for name in names], "pagination": pagination})

    server.play(users(["a", "b"], 0, has_next=True), users(["c"], 2, has_next=False))
    found = use(lambda client: client.users.list(limit=2).pages())
    assert [[each.username for each in page.data] for page in found] == [["a", "b"], ["c"]]
    assert [each.query.get("offset") for each in server.received] == [None, "2"]


def test_the_servers_clock_is_compared(server: ScriptedServer) -> None:
    report = {"status": "ok", "timestamp": "2026-01-01T00:00:00.000Z", "checks": {}}
    server.play(
        answer(200, report, date=format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    )
    with Waybill(server.url) as client:
        assert client.clock_offset_s is None
        client.live()
        assert client.clock_offset_s == pytest.approx(3600, abs=5)


def test_a_report_of_bad_health_is_no_error(use: Use, server: ScriptedServer) -> None:
    report = {"status": "down", "timestamp": "2026-01-01T00:00:00.000Z", "checks": {"database": "down"}}
    server.play(answer(503, report))
    assert use(lambda client: client.health()).checks == {"database": "down"}
    assert (len(server.received), server.received[0].token) == (1, None)
