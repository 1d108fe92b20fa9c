"""Batches: what is sent, in which requests, and one answer."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.scripted_server import Action, ScriptedServer, answer
from tests.unit.clients.core.conftest import Use
from waybill import BadRequest
from waybill.batches import MAX_BYTES, parts_of

NUMBER = "99M-GMPWC6W7SP2G"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def scan(index: int, **fields: object) -> dict[str, Any]:
    return {"tracking_number": NUMBER, "status": "picked_up", "source": f"s{index}", **fields}


def result(size: int, *rejected: int) -> Action:
    items = [
        {"index": index, "status": "rejected", "error": "VALIDATION_ERROR", "details": []}
        if index in rejected
        else {"index": index, "status": "queued", "event_id": f"evt_{index}"}
        for index in range(size)
    ]
    queued = size - len(rejected)
    body = {"received": size, "queued": queued, "message": "m", "events": items, "rejected": len(rejected)}
    return answer(202, body)


def test_events_are_sent_in_order_and_in_bounded_requests(use: Use, server: ScriptedServer) -> None:
    server.play(result(500), result(500, 7), result(1))
    joined = use(lambda client: client.events.report_batch((scan(i) for i in range(1001)), lenient=True))
    lines = [line for each in server.received for line in each.content.splitlines()]
    assert [json.loads(line)["source"] for line in lines] == [f"s{i}" for i in range(1001)]
    assert {each.headers["prefer"] for each in server.received} == {"handling=lenient"}
    assert [item.index for item in joined.events] == list(range(1001))
    assert [item.index for item in joined.events if item.status == "rejected"] == [507]
    assert (joined.received, joined.queued, joined.rejected) == (1001, 1000, 1)


def test_strict_is_the_default(use: Use, server: ScriptedServer) -> None:
    server.play(result(1))
    use(lambda client: client.events.report_batch([scan(0)]))
    assert "prefer" not in server.received[0].headers


def test_nothing_is_sent_for_no_events(use: Use, server: ScriptedServer) -> None:
    joined = use(lambda client: client.events.report_batch([]))
    assert (joined.received, joined.events, server.received) == (0, (), [])


def test_a_request_is_no_longer_than_the_api_accepts() -> None:
    notes = "ñ" * 400_000
    parts = list(parts_of([scan(index, notes=notes) for index in range(5)]))
    assert [part.start for part in parts] == [0, 2, 4]
    assert all(len(part.ndjson) <= MAX_BYTES for part in parts)


def test_pointers_of_an_error_are_those_of_the_whole(use: Use, server: ScriptedServer) -> None:
    details = [{"pointer": "/events/3/status", "message": "unknown"}, {"pointer": "", "message": "x"}]
    body = {"error": "VALIDATION_ERROR", "message": "validation failed", "details": details}
    server.play(result(500), answer(400, body))
    with pytest.raises(BadRequest) as failed:
        use(lambda client: client.events.report_batch([scan(i) for i in range(600)]))
    assert [each.pointer for each in failed.value.details] == ["/events/503/status", ""]
    assert failed.value.code == "VALIDATION_ERROR"


def test_instants_are_fixed_before_the_first_attempt_and_keep_their_offset() -> None:
    (part,) = parts_of(
        [
            scan(0, timestamp=NOON),
            scan(1, timestamp="2026-01-01T06:00:00-06:00"),
            scan(2),
            scan(3),
            scan(4, notes=None),
        ]
    )
    sent = [json.loads(line) for line in part.ndjson.splitlines()]
    assert [each["timestamp"] for each in sent[:2]] == [
        "2026-01-01T12:00:00.000+00:00",
        "2026-01-01T06:00:00-06:00",
    ]
    assert sent[2]["timestamp"] == sent[3]["timestamp"]
    assert "notes" not in sent[4]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (scan(1, timestamp=NOON.replace(tzinfo=None)), "event 1: 2026-01-01T12:00:00 has no zone"),
        (scan(1, notes=float("nan")), "event 1: "),
        (scan(1, notes={1, 2}), "event 1: set has no place in JSON"),
        (scan(1, notes="\ud800"), "event 1: "),
    ],
)
def test_an_event_that_cannot_be_sent_is_named(event: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(parts_of([scan(0), event]))
