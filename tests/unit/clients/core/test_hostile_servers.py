"""Servers that are broken, or mean harm: an error of this package, in bounded time and memory."""

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tests.support.scripted_server import Action, Handler, ScriptedServer, answer, cut, error
from tests.unit.clients.core.conftest import Use
from waybill import (
    AsyncWaybill,
    BadRequest,
    Conflict,
    ConnectionFailed,
    NotFound,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
    Waybill,
)

NUMBER = "99M-GMPWC6W7SP2G"
GET = lambda client: client.shipments.get(NUMBER)  # noqa: E731 - a call
QUEUED = answer(202, {"event_id": "evt_1", "status": "queued", "tracking_number": NUMBER, "message": "m"})


def endless(status: int) -> Action:
    """Send a body until the client goes away."""

    def act(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_response_only(status)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65_536)

    return act


def for_login(action: Action) -> Action:
    """Answer logins with it."""

    def act(handler: Handler) -> None:
        action(handler)

    act.for_login = True  # type: ignore[attr-defined]
    return act


@pytest.mark.parametrize("status", [200, 404])
def test_a_body_without_end_is_not_read_to_its_end(
    use: Use, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("waybill.transport.MAX_CONTENT", 1_000_000)
    server.play(endless(status))
    with pytest.raises(UnexpectedResponse, match="more than 1000000 bytes"):
        use(GET)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"version": NaN}', b"9" * 5000, b"\xff", b'{"a":'])
@pytest.mark.parametrize("status", [200, 400])
def test_a_body_that_is_no_json_is_an_error(
    use: Use, server: ScriptedServer, status: int, body: bytes
) -> None:
    server.play(answer(status, body))
    with pytest.raises((UnexpectedResponse, BadRequest), match="is no JSON but application/json"):
        use(GET)


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "soon", "", "9" * 400])
@pytest.mark.parametrize("name", ["date", "retry_after"])
def test_a_time_that_is_none_is_left_aside(use: Use, server: ScriptedServer, name: str, date: str) -> None:
    server.play(error(429, "RATE_LIMITED", **{name: date}))
    with pytest.raises(RateLimited):
        use(GET, retries=0)


def test_a_conflict_is_held_until_no_time(use: Use, server: ScriptedServer) -> None:
    server.play(answer(409, {"error": "INVALID_TRANSITION", "held_until": "tomorrow"}))
    with pytest.raises(Conflict) as failed:
        use(GET)
    assert failed.value.held_until is None


def test_cookies_are_not_kept(server: ScriptedServer) -> None:
    server.play(answer(404, {}, set_cookie="session=1; Path=/"))
    with Waybill(server.url) as client:
        for _ in range(2):
            with pytest.raises(NotFound):
                client.public.shipment(NUMBER)
    assert [each.headers.get("cookie") for each in server.received] == [None, None]


def test_a_list_that_leads_to_itself_ends(use: Use, server: ScriptedServer) -> None:
    pagination = {"total": 1, "limit": 1, "offset": 0, "has_next": True, "next_cursor": "again"}
    key = {"id": "k", "at": "2026-01-01T00:00:00Z", "by": "a", "action": "x", "target": "y"}
    server.play(answer(200, {"data": [key | {"reason": None, "details": {}}], "pagination": pagination}))
    with pytest.raises(UnexpectedResponse, match="a page leads to itself"):
        use(lambda client: client.operator_actions.list())
    assert len(server.received) == 2


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Other: b", "", "é"])
def test_a_token_that_cannot_be_one_is_not_sent(use: Use, server: ScriptedServer, token: str) -> None:
    granted = {"token": token, "expires_in": 60, "token_type": "Bearer"}
    server.play(for_login(answer(200, granted)))
    with pytest.raises(UnexpectedResponse, match="token of the response is none"):
        use(GET)
    assert len(server.received) == 1


@pytest.mark.parametrize("token", ["abc\n", "Bearer abc", ""])
def test_a_given_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ValueError, match="the token is none") as refused:
        Waybill("http://localhost", token=token)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "do",
    [
        lambda client: client.shipments.get("A" * 70_000),
        lambda client: client.shipments.get("\ud800"),
        lambda client: client.shipments.get(None),
        lambda client: client.shipments.get(".."),
        lambda client: client.shipments.list(reference="\ud800"),
        lambda client: client.shipments.create(idempotency_key="№ 1"),
        lambda client: client.shipments.create(idempotency_key="a\r\nX-Other: b"),
        lambda client: client.shipments.create(idempotency_key=""),
        lambda client: client.shipments.create(idempotency_key="\t"),
        lambda client: client.events.report(NUMBER, "picked_up", source="\ud800"),
        lambda client: client.events.report(NUMBER, "picked_up", source="s", location={"lat": float("nan")}),
    ],
)
def test_a_call_that_cannot_be_sent_is_a_value_error(
    use: Use, server: ScriptedServer, do: Callable[[Any], Any]
) -> None:
    server.play(QUEUED)
    with pytest.raises(ValueError, match=r"."):
        use(do)
    assert server.received == []


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": float("nan")}, {"retries": -1}])
def test_numbers_without_a_meaning_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Waybill("http://localhost", **options)


def test_threads_try_a_wrong_password_once(server: ScriptedServer) -> None:
    """Eight failed logins would lock the account out."""
    held = threading.Event()

    def refuse(handler: Handler) -> None:
        held.wait(5)
        error(401, "INVALID_CREDENTIALS")(handler)

    server.play(for_login(refuse))
    refusals: list[Unauthorized] = []
    with Waybill(server.url, username="ana", password="wrong") as client:  # noqa: S106

        def get() -> None:
            try:
                client.shipments.get(NUMBER)
            except Unauthorized as refused:
                refusals.append(refused)

        threads = [threading.Thread(target=get) for _ in range(8)]
        for thread in threads:
            thread.start()
        threading.Timer(0.3, held.set).start()
        for thread in threads:
            thread.join()
        assert ({each.code for each in refusals}, len(refusals)) == ({"INVALID_CREDENTIALS"}, 8)
        assert len(server.received) == 1
        get()  # the password may have been put right meanwhile
        assert len(server.received) == 2


async def test_a_cancelled_task_leaves_the_client_usable(server: ScriptedServer) -> None:
    held = threading.Event()

    def wait(handler: Handler) -> None:
        held.wait(5)
        QUEUED(handler)

    server.play(wait, QUEUED)
    async with AsyncWaybill(server.url, api_key="k") as client:
        with anyio.move_on_after(0.2) as given_up:
            await client.events.report(NUMBER, "picked_up", source="s")
        assert given_up.cancelled_caught
        assert (await client.events.report(NUMBER, "picked_up", source="s")).status == "queued"
    held.set()


def test_a_login_that_fails_between_attempts_says_what_may_have_been_executed(
    use: Use, server: ScriptedServer
) -> None:
    server.token_s = 0  # each attempt needs a token of its own
    server.play(cut, for_login(error(401, "INVALID_CREDENTIALS")))
    with pytest.raises(Unauthorized) as failed:
        use(lambda client: client.shipments.cancel(NUMBER))
    assert failed.value.is_uncertain


def test_a_login_without_an_answer_has_not_executed_the_call(use: Use, server: ScriptedServer) -> None:
    server.play(for_login(cut))
    with pytest.raises(ConnectionFailed) as failed:
        use(lambda client: client.links.create(NUMBER), retries=0)
    assert not failed.value.is_sent
    with pytest.raises(ConnectionFailed) as failed:
        use(lambda client: client.auth.login(), retries=0)
    assert failed.value.is_sent


def test_a_cancellation_of_an_unknown_shipment_is_not_done(use: Use, server: ScriptedServer) -> None:
    server.play(cut, error(404, "SHIPMENT_NOT_FOUND"))
    with pytest.raises(NotFound):
        use(lambda client: client.shipments.cancel(NUMBER))
