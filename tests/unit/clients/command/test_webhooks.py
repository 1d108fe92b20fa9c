"""`webhooks`."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.clients.command.bodies import ATTEMPT, DELIVERY, ENDPOINT, REPLAY
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import Json, StandIn, page, refusal
from waybill.cli import webhooks

ID = ENDPOINT["id"]
MESSAGE_ID = DELIVERY["id"]
PERIOD = ("--from", "2026-11-01T00:00:00Z", "--to", "2026-11-02T00:00:00Z")


def test_endpoints_are_listed_by_state(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(ENDPOINT)] * 2
    assert run("webhooks", "list", "--state", "paused", "--json").json == [ENDPOINT]
    assert "gone" in run("webhooks", "list", "--client-id", "client_001").out
    assert [parse_qs(urlsplit(asked.path).query) for asked in waybill.asked] == [
        {"limit": ["100"], "state": ["paused"]},
        {"limit": ["100"], "client_id": ["client_001"]},
    ]


def test_an_endpoint_is_shown_paused_resumed_and_tested(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, ENDPOINT)] * 3 + [(200, ATTEMPT)]
    assert run("webhooks", "show", ID, "--json").json == ENDPOINT
    assert run("webhooks", "pause", ID).code == 0
    assert run("webhooks", "resume", ID).code == 0
    assert "try \\u001b[31mlater" in run("webhooks", "test", ID).out
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("GET", f"/webhooks/{ID}", None),
        ("PATCH", f"/webhooks/{ID}", {"state": "paused"}),
        ("PATCH", f"/webhooks/{ID}", {"state": "active"}),
        ("POST", f"/webhooks/{ID}/test", None),
    ]


def test_an_endpoint_is_made_changed_and_deleted(waybill: StandIn, run: Run) -> None:
    made = ENDPOINT | {"secret": "whsec_new"}
    waybill.responses += [(201, made), (200, ENDPOINT), (204, b"")]
    options = ("--type", "shipment.*", "--payload", "thin", "--rate-per-s", "2.5", "--client-id", "c")
    assert run("webhooks", "create", ENDPOINT["url"], *options, "--json").json == made
    assert run("webhooks", "change", ID, "--receiver", "https://w.example", "--ordering", "none").code == 0
    assert run("webhooks", "delete", ID).code == 0
    fields = {"types": ["shipment.*"], "payload": "thin", "rate_per_s": 2.5, "client_id": "c"}
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("POST", "/webhooks", {"url": ENDPOINT["url"]} | fields),
        ("PATCH", f"/webhooks/{ID}", {"url": "https://w.example", "ordering": "none"}),
        ("DELETE", f"/webhooks/{ID}", None),
    ]


@pytest.mark.parametrize("options", [(), ("--rate-per-s", "nan"), ("--rate-per-s", "fast")])
def test_nothing_or_no_number_changes_no_endpoint(
    waybill: StandIn, run: Run, options: tuple[str, ...]
) -> None:
    assert run("webhooks", "change", ID, *options).code == 2
    assert waybill.asked == []


def test_a_rotation_says_how_long_the_older_secret_signs(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, {"secret": "whsec_new"})] * 2
    assert run("webhooks", "rotate", ID, "--json").json == {"secret": "whsec_new"}
    assert "whsec_new" in run("webhooks", "rotate", ID, "--grace-s", "0").out
    assert [asked.body for asked in waybill.asked] == [{"grace_s": 86_400}, {"grace_s": 0}]


@pytest.mark.parametrize(
    ("attempt", "result"),
    [(ATTEMPT, "503"), (ATTEMPT | {"status_code": None, "error": "timed_out"}, "timed_out"), (None, "-")],
)
def test_deliveries_are_listed_with_their_last_result(
    waybill: StandIn, run: Run, attempt: Json | None, result: str
) -> None:
    waybill.responses.append(page(DELIVERY | {"last_attempt": attempt}))
    listed = run("webhooks", "deliveries", ID, "--state", "pending", "--type", "shipment.*", *PERIOD)
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
    whole = DELIVERY | {"attempts": [ATTEMPT], "body": "{}"}
    waybill.responses += [(200, whole)] * 2
    assert run("webhooks", "show", ID, MESSAGE_ID, "--json").json == whole
    assert "503" in run("webhooks", "show", ID, MESSAGE_ID).out
    assert waybill.asked[0].path == f"/webhooks/{ID}/deliveries/{MESSAGE_ID}"


def test_a_held_delivery_is_not_retried(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(refusal(409, "DELIVERY_HELD", "the delivery is held"))
    ended = run("webhooks", "retry", ID, MESSAGE_ID)
    assert (ended.code, ended.err) == (1, "error: the delivery is held (DELIVERY_HELD)\n")
    assert waybill.asked[0].path == f"/webhooks/{ID}/deliveries/{MESSAGE_ID}/retry"


def test_a_replay_is_started_and_shown(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(202, REPLAY), (200, REPLAY)]
    states = ("--state", "failed", "--state", "delivered", "--type", "shipment.delivered")
    started = run("webhooks", "replay", ID, *PERIOD, *states, "--json")
    assert started.json == REPLAY
    assert REPLAY["id"] in started.err
    assert run("webhooks", "show", ID, REPLAY["id"], "--json").json == REPLAY
    assert [(asked.path, asked.body) for asked in waybill.asked] == [
        (
            f"/webhooks/{ID}/replays",
            {
                "from": PERIOD[1],
                "to": PERIOD[3],
                "states": ["failed", "delivered"],
                "types": ["shipment.delivered"],
            },
        ),
        (f"/webhooks/{ID}/replays/{REPLAY['id']}", None),
    ]


def test_a_replay_is_waited_for(waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_POLL_S", 0.0)
    done = REPLAY | {"state": "done", "matched": 3, "sent": 2, "failed": 1}
    waybill.responses += [(202, REPLAY), (200, REPLAY | {"matched": 3, "sent": 1}), (200, done)]
    ended = run("webhooks", "replay", ID, *PERIOD, "--wait", "--json")
    assert ended.json == done
    assert "3 found, 2 sent, 1 failed" in ended.err


def test_a_replay_needs_a_period(waybill: StandIn, run: Run) -> None:
    assert run("webhooks", "replay", ID, "--from", PERIOD[1]).code == 2
    assert waybill.asked == []
