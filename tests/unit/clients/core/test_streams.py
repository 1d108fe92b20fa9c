"""Live streams: opened again where they ended."""

import asyncio

import pytest

from tests.support.scripted_server import Action, ScriptedServer, answer, broken_stream, cut, error, stream
from waybill import AsyncWaybill, ConnectionFailed, NotFound, ServerError, UnexpectedResponse, Waybill

NUMBER = "99M-GMPWC6W7SP2G"


def event(version: int) -> bytes:
    data = f'{{"version":{version},"current_status":"in_transit"}}'
    return f"retry: 10\nid: {version}\ndata: {data}\n\n:\n\n".encode()


def followed(server: ScriptedServer, count: int, *, after_version: int | None = None) -> list[int]:
    """Return the versions that both clients yield, which are the same."""
    actions = list(server.actions)
    with Waybill(server.url, api_key="k") as client:
        changes = client.shipments.stream(NUMBER, after_version=after_version)
        versions = [next(changes).version for _ in range(count)]
        changes.close()
    first = [(each.headers.get("last-event-id"), each.token) for each in server.received]
    server.received.clear()
    server.logins.clear()
    server.play(*actions)
    assert asyncio.run(_followed(server.url, count, after_version)) == versions
    assert [(each.headers.get("last-event-id"), each.token) for each in server.received] == first
    return versions


async def _followed(url: str, count: int, after_version: int | None) -> list[int]:
    async with AsyncWaybill(url, api_key="k") as client:
        changes = client.shipments.stream(NUMBER, after_version=after_version)
        versions = [(await anext(changes)).version for _ in range(count)]
        await changes.aclose()
        return versions


@pytest.mark.parametrize("failure", [cut, error(503, "SERVICE_UNAVAILABLE", retry_after="0")])
def test_a_stream_continues_after_the_last_version(server: ScriptedServer, failure: Action) -> None:
    server.play(stream(event(3), event(4)), failure, stream(), stream(event(6)))
    assert followed(server, 3) == [3, 4, 6]
    assert [each.headers.get("last-event-id") for each in server.received] == [None, "4", "4", "4"]
    assert server.received[0].headers["accept"] == "text/event-stream"


def test_a_stream_begins_after_a_version(server: ScriptedServer) -> None:
    server.play(stream(event(8)))
    assert followed(server, 1, after_version=7) == [8]
    assert server.received[0].headers["last-event-id"] == "7"


def test_a_stream_that_breaks_off_within_an_event_continues(server: ScriptedServer) -> None:
    server.play(stream(event(3), event(4)[:20]), stream(event(4)))
    assert followed(server, 2) == [3, 4]


def test_a_token_that_ended_is_replaced(server: ScriptedServer) -> None:
    server.play(error(401, "INVALID_TOKEN"), stream(event(3)))
    assert followed(server, 1) == [3]
    assert [each.token for each in server.received] == ["Bearer t1", "Bearer t2"]


def test_a_stream_that_is_refused_is_an_error(server: ScriptedServer) -> None:
    server.play(error(404, "SHIPMENT_NOT_FOUND"))
    with pytest.raises(NotFound):
        followed(server, 1)


def test_a_stream_that_never_opens_is_an_error(server: ScriptedServer) -> None:
    server.play(error(503, "SERVICE_UNAVAILABLE"))
    with pytest.raises(ServerError):
        followed(server, 1)
    assert len(server.received) == 5


def test_a_stream_that_breaks_off_at_once_each_time_is_an_error(server: ScriptedServer) -> None:
    server.play(broken_stream)
    with pytest.raises(ConnectionFailed):
        followed(server, 1)
    assert len(server.received) == 5


@pytest.mark.parametrize(("retry", "pause"), [(b"9" * 30, 60.0), (b"-5", 0.0), (b"20", 0.02)])
def test_a_pause_that_the_server_names_is_bounded(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, retry: bytes, pause: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("waybill._sync.streams.sleep", pauses.append)
    server.play(stream(b"retry: " + retry + b"\n\n"), stream(event(4)))
    with Waybill(server.url, api_key="k") as client:
        changes = client.shipments.stream(NUMBER)
        assert next(changes).version == 4
        changes.close()
    assert pauses == [pause]


def test_a_page_is_no_stream(server: ScriptedServer) -> None:
    server.play(answer(200, b"<html>", content_type="text/html; charset=utf-8"))
    with pytest.raises(UnexpectedResponse, match="not text/event-stream but text/html"):
        followed(server, 1)
    assert len(server.received) == 1


@pytest.mark.parametrize("data", [b'{"version":"x"}', b"no JSON"])
def test_an_event_that_is_none_is_an_error(server: ScriptedServer, data: bytes) -> None:
    server.play(stream(b"id: 1\ndata: " + data + b"\n\n"))
    with pytest.raises(UnexpectedResponse, match="no LiveStatus"):
        followed(server, 1)
