"""`events`: reported, sent from a file, retracted, read and followed."""

import json
from pathlib import Path

import pytest

from tests.unit.clients.command.bodies import EVENT, EVENT_ID, NUMBER
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import StandIn, page, refusal

QUEUED = {"event_id": EVENT_ID, "status": "queued", "tracking_number": NUMBER, "message": "Event queued"}
APPLIED = QUEUED | {"status": "applied"}
AT = "2026-11-02T16:50:00Z"


def test_a_status_is_reported_with_its_place(waybill: StandIn, run: Run) -> None:
    waybill.responses.append((200, APPLIED))
    ended = run(
        *("events", "send", NUMBER, "delivered", "--source", "driver-017", "--timestamp", AT, "--wait", "10"),
        *("--lat", "19.36", "--lng", "-99.18", "--address", "Calle 7", "--signed-by", "María Peña", "--json"),
    )
    assert (ended.code, ended.json) == (0, APPLIED)
    [asked] = waybill.asked
    assert (asked.method, asked.path, asked.headers["Prefer"]) == ("POST", "/events", "wait=10")
    assert asked.body == {
        "tracking_number": NUMBER,
        "status": "delivered",
        "timestamp": AT,
        "source": "driver-017",
        "location": {"lat": 19.36, "lng": -99.18, "address": "Calle 7"},
        "signed_by": "María Peña",
    }


def test_a_checkpoint_is_reported_for_now(waybill: StandIn, run: Run) -> None:
    waybill.responses.append((202, QUEUED))
    assert run("events", "send", NUMBER, "--checkpoint", "arrived_at_hub", "--source", "hub-1").code == 0
    body = waybill.asked[0].body
    assert body is not None
    assert (body["checkpoint"], body.get("status"), body["timestamp"][:2]) == ("arrived_at_hub", None, "20")
    assert "Prefer" not in waybill.asked[0].headers


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("picked_up", "--checkpoint", "on_hold"),
        ("picked_up", "--lat", "1"),
        ("picked_up", "--address", "Calle 7"),
        ("picked_up", "--timestamp", "2026-11-02T16:50:00"),
        ("picked_up", "--wait", "31"),
    ],
)
def test_half_an_event_is_not_sent(waybill: StandIn, run: Run, arguments: tuple[str, ...]) -> None:
    assert run("events", "send", NUMBER, *arguments, "--source", "x").code == 2
    assert run("events", "send", NUMBER, "picked_up").code == 2, "without a source"
    assert waybill.asked == []


def test_a_rejected_event_says_what_may_follow(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(
        refusal(409, "INVALID_TRANSITION", "the shipment is created; picked_up or cancelled may follow")
    )
    ended = run("events", "send", NUMBER, "delivered", "--source", "x", "--wait", "1")
    assert (ended.code, ended.err) == (
        1,
        "error: the shipment is created; picked_up or cancelled may follow (INVALID_TRANSITION)\n",
    )


def scans(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "scans.ndjson"
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


SCAN = json.dumps({"tracking_number": NUMBER, "status": "picked_up", "timestamp": AT, "source": "dock-2"})


def test_rejected_lines_of_a_file_are_shown_with_their_problems(
    waybill: StandIn, run: Run, tmp_path: Path
) -> None:
    rejected = {
        "index": 1,
        "status": "rejected",
        "error": "VALIDATION_ERROR",
        "details": [{"pointer": "/status", "message": "unknown"}],
    }
    body = {
        "received": 2,
        "queued": 1,
        "rejected": 1,
        "message": "1 event queued",
        "events": [{"index": 0, "event_id": EVENT_ID, "status": "queued"}, rejected],
    }
    waybill.responses.append((202, body))
    ended = run("events", "send-file", scans(tmp_path, SCAN, "", SCAN.replace("picked_up", "lost")))
    assert ended.code == 1
    assert ended.err == "error: 1 of 2 events are queued, 1 rejected\n"
    assert ended.out == "line 3: /status unknown\n"
    assert waybill.asked[0].headers["Prefer"] == "handling=lenient"


def test_a_file_without_faults_is_queued(waybill: StandIn, run: Run, tmp_path: Path) -> None:
    body = {
        "received": 1,
        "queued": 1,
        "message": "1 event queued",
        "events": [{"index": 0, "event_id": EVENT_ID, "status": "queued"}],
    }
    waybill.responses.append((202, body))
    ended = run("events", "send-file", scans(tmp_path, SCAN))
    assert (ended.code, ended.out, ended.err) == (0, "", "1 events are queued\n")


def test_a_failure_in_the_middle_says_how_far_it_came(
    waybill: StandIn, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waybill.cli.events.MAX_EVENTS", 2)
    items = [{"index": index, "event_id": EVENT_ID, "status": "queued"} for index in range(2)]
    done = {"received": 2, "queued": 2, "message": "2 events queued", "events": items}
    waybill.responses += [(202, done), refusal(503, "SERVICE_UNAVAILABLE", "later")]
    ended = run("events", "send-file", scans(tmp_path, *[SCAN] * 3))
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == (
        "error: later (SERVICE_UNAVAILABLE); try again in 7 s; "
        "2 of 3 events are answered; sending them all again is harmless\n"
    )


def test_a_line_that_is_no_json_is_named(waybill: StandIn, run: Run, tmp_path: Path) -> None:
    ended = run("events", "send-file", scans(tmp_path, SCAN, "{"))
    assert (ended.code, waybill.asked) == (2, [])
    assert "scans.ndjson, line 2: no JSON" in ended.err


def test_an_event_is_read_and_retracted(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, EVENT), (202, QUEUED)]
    assert run("events", "get", EVENT_ID, "--json").json == EVENT
    assert run("events", "retract", EVENT_ID, "--reason", "the parcel beside it").code == 0
    assert [(each.method, each.path, each.body) for each in waybill.asked] == [
        ("GET", f"/events/{EVENT_ID}", None),
        ("POST", f"/events/{EVENT_ID}/retract", {"reason": "the parcel beside it"}),
    ]


def event(index: int, **more: str) -> dict[str, object]:
    return EVENT | {"event_id": f"evt_{index}", "timestamp": f"2026-11-02T16:50:0{index}.000Z"} | more


def test_the_last_events_are_printed_oldest_first(waybill: StandIn, run: Run) -> None:
    rejected = event(3, outcome="rejected", reason="INVALID_TRANSITION")
    waybill.responses += [page(rejected, event(2), event(1))] * 2
    assert run("events", "tail", NUMBER, "--lines", "2").out == (
        "2026-11-02T16:50:02.000Z  picked_up  driver-017  applied\n"
        "2026-11-02T16:50:03.000Z  picked_up  driver-017  rejected  INVALID_TRANSITION\n"
    )
    lines = run("events", "tail", NUMBER, "--lines", "2", "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [event(2), rejected]


def test_a_followed_tail_prints_late_events_and_outcomes_once_until_ctrl_c(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeps = iter([None, None])

    def sleep(_seconds: float) -> None:
        if next(sleeps, 1):
            raise KeyboardInterrupt

    monkeypatch.setattr("waybill.cli.events.time.sleep", sleep)
    held = event(3, outcome="rejected", reason="INVALID_TRANSITION")
    waybill.responses += [page(held), page(held)]
    waybill.responses += [page(event(3), event(2), event(1))] * 2
    ended = run("events", "tail", NUMBER, "--follow", "--json")
    assert ended.code == 130
    assert [json.loads(line) for line in ended.out.splitlines()] == [held, event(1), event(2), event(3)]
    assert len(waybill.asked) == 4, "nothing new is one request"
