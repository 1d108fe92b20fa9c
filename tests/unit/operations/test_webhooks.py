"""`webhooks`."""

from urllib.parse import parse_qs, urlsplit

import pytest

from operations import webhooks
from tests.unit.operations.conftest import Run
from tests.unit.operations.stand_in import Json, StandIn, page, refusal

ENDPOINT = "wh_mfzwi3ldpn5xk2lqnrsw"
DELIVERY = "msg_2kzv5m7rj3w6q4ynx5gd7tbhsapc2fue"
FOUND: Json = {
    "id": ENDPOINT,
    "client_id": "client_001",
    "url": "https://erp.example/waybill",
    "types": ["shipment.*"],
    "state": "paused",
    "paused_reason": "gone",
    "failing_since": None,
}
ATTEMPT: Json = {
    "at": "2026-11-02T14:15:02.140Z",
    "status_code": 503,
    "duration_ms": 48,
    "error": "status",
    "response": "try \u001b[31mlater",
}
SENT: Json = {
    "id": DELIVERY,
    "created_at": "2026-11-02T14:15:02.131Z",
    "type": "shipment.picked_up",
    "tracking_number": "99M-GMPWC6W7SP2G",
    "state": "pending",
    "next_attempt_at": "2026-11-02T14:15:07.512Z",
}
REPLAY: Json = {"id": "rp_nb2hi4dthixs65ltmvzq", "state": "running", "matched": 0, "sent": 0, "failed": 0}
PERIOD = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z")


def test_endpoints_are_listed_by_state(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(FOUND)] * 2
    assert run("webhooks", "list", "--state", "paused", "--json").json == [FOUND]
    assert "gone" in run("webhooks", "list", "--client-id", "client_001").out
    assert [parse_qs(urlsplit(asked.path).query) for asked in waybill.asked] == [
        {"limit": ["100"], "state": ["paused"]},
        {"limit": ["100"], "client_id": ["client_001"]},
    ]


def test_an_endpoint_is_shown_paused_resumed_and_tested(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, FOUND)] * 3 + [(200, ATTEMPT)]
    assert run("webhooks", "show", ENDPOINT, "--json").json == FOUND
    assert run("webhooks", "pause", ENDPOINT).code == 0
    assert run("webhooks", "resume", ENDPOINT).code == 0
    assert "try \\u001b[31mlater" in run("webhooks", "test", ENDPOINT).out
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("GET", f"/webhooks/{ENDPOINT}", None),
        ("PATCH", f"/webhooks/{ENDPOINT}", {"state": "paused"}),
        ("PATCH", f"/webhooks/{ENDPOINT}", {"state": "active"}),
        ("POST", f"/webhooks/{ENDPOINT}/test", None),
    ]


def test_a_rotation_says_how_long_the_older_secret_signs(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, {"secret": "whsec_new"})] * 2
    assert run("webhooks", "rotate", ENDPOINT, "--json").json == {"secret": "whsec_new"}
    assert "whsec_new" in run("webhooks", "rotate", ENDPOINT, "--grace-s", "0").out
    assert [asked.body for asked in waybill.asked] == [{"grace_s": 86_400}, {"grace_s": 0}]


@pytest.mark.parametrize(
    ("attempt", "result"),
    [(ATTEMPT, "503"), (ATTEMPT | {"status_code": None, "error": "timed_out"}, "timed_out"), (None, "-")],
)
def test_deliveries_are_listed_with_their_last_result(
    waybill: StandIn, run: Run, attempt: Json | None, result: str
) -> None:
    waybill.responses.append(page(SENT | {"last_attempt": attempt}))
    listed = run("webhooks", "deliveries", ENDPOINT, "--state", "pending", "--type", "shipment.*", *PERIOD)
    assert listed.out.split()[-1] == result
    [asked] = waybill.asked
    assert parse_qs(urlsplit(asked.path).query) == {
        "limit": ["100"],
        "state": ["pending"],
        "type": ["shipment.*"],
        "from": [PERIOD[1]],
        "to": [PERIOD[3]],
    }


def test_a_delivery_is_shown_with_its_attempts(waybill: StandIn, run: Run) -> None:
    whole = SENT | {"attempts": [ATTEMPT], "body": "{}"}
    waybill.responses += [(200, whole)] * 2
    assert run("webhooks", "show", ENDPOINT, DELIVERY, "--json").json == whole
    assert "503" in run("webhooks", "show", ENDPOINT, DELIVERY).out
    assert waybill.asked[0].path == f"/webhooks/{ENDPOINT}/deliveries/{DELIVERY}"


def test_a_held_delivery_is_not_retried(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(refusal(409, "DELIVERY_HELD", "the delivery is held"))
    ended = run("webhooks", "retry", ENDPOINT, DELIVERY)
    assert (ended.code, ended.err) == (1, "error: the delivery is held (DELIVERY_HELD)\n")
    assert waybill.asked[0].path == f"/webhooks/{ENDPOINT}/deliveries/{DELIVERY}/retry"


def test_a_replay_is_started_and_shown(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(202, REPLAY), (200, REPLAY)]
    states = ("--state", "failed", "--state", "delivered", "--type", "shipment.delivered")
    started = run("webhooks", "replay", ENDPOINT, *PERIOD, *states, "--json")
    assert started.json == REPLAY
    assert REPLAY["id"] in started.err
    assert run("webhooks", "show", ENDPOINT, REPLAY["id"], "--json").json == REPLAY
    assert [(asked.path, asked.body) for asked in waybill.asked] == [
        (
            f"/webhooks/{ENDPOINT}/replays",
            {
                "from": PERIOD[1],
                "to": PERIOD[3],
                "states": ["failed", "delivered"],
                "types": ["shipment.delivered"],
            },
        ),
        (f"/webhooks/{ENDPOINT}/replays/{REPLAY['id']}", None),
    ]


def test_a_replay_is_waited_for(waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_POLL_S", 0.0)
    done = REPLAY | {"state": "done", "matched": 3, "sent": 2, "failed": 1}
    waybill.responses += [(202, REPLAY), (200, REPLAY | {"matched": 3, "sent": 1}), (200, done)]
    ended = run("webhooks", "replay", ENDPOINT, *PERIOD, "--wait", "--json")
    assert ended.json == done
    assert "3 found, 2 sent, 1 failed" in ended.err


def test_a_replay_needs_a_period(waybill: StandIn, run: Run) -> None:
    assert run("webhooks", "replay", ENDPOINT, "--from", PERIOD[1]).code == 2
    assert waybill.asked == []
