"""`shipments`, `links`, `track`."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.clients.command.bodies import EVENT, NUMBER, SHIPMENT
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import Json, StandIn, page

REGISTERED = {
    "tracking_number": NUMBER,
    "status": "created",
    "created_at": "2026-11-02T16:00:00.000Z",
    "client_id": "client_001",
}
CHANGED = {"tracking_number": NUMBER, "status": "created", "version": 2, "event_id": "evt_2"}
OPTIONS = (
    *("--origin-address", "Calle 7", "--origin-lat", "19.04", "--origin-lng", "-98.2"),
    *("--destination-address", "Calle 9", "--destination-lat", "17.07", "--destination-lng", "-96.72"),
    *("--weight-kg", "2.5"),
)
BODY = {
    "origin_address": "Calle 7",
    "origin_lat": 19.04,
    "origin_lng": -98.2,
    "destination_address": "Calle 9",
    "destination_lat": 17.07,
    "destination_lng": -96.72,
    "weight_kg": 2.5,
}
NESTED: Json = {
    "origin": SHIPMENT["origin"],
    "destination": SHIPMENT["destination"],
    "package": {"weight_kg": 1},
}


def test_a_shipment_is_registered_with_the_given_fields(waybill: StandIn, run: Run) -> None:
    waybill.responses.append((201, REGISTERED))
    window = ("--earliest", "2026-11-05T09:00:00-06:00", "--latest", "2026-11-05T18:00:00-06:00")
    ended = run(
        *("shipments", "create", *OPTIONS, *window, "--client-id", "client_001", "--reference", "4711"),
        *("--idempotency-key", "order-4711", "--json"),
    )
    assert (ended.code, ended.json) == (0, REGISTERED)
    [asked] = waybill.asked
    assert (asked.method, asked.path) == ("POST", "/shipments")
    assert asked.body == BODY | {
        "client_id": "client_001",
        "reference": "4711",
        "estimated_delivery": {"earliest": window[1], "latest": window[3]},
    }
    assert asked.headers["Idempotency-Key"] == "order-4711"


def test_a_shipment_is_registered_from_a_file(waybill: StandIn, run: Run, tmp_path: Path) -> None:
    (tmp_path / "shipment.json").write_text(json.dumps(NESTED))
    waybill.responses.append((201, REGISTERED))
    assert run("shipments", "create", "--file", str(tmp_path / "shipment.json")).code == 0
    assert waybill.asked[0].body == NESTED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (OPTIONS[2:], "missing: --origin-address; or a JSON object by --file"),
        ((*OPTIONS, "--earliest", "2026-11-05T09:00:00Z"), "--earliest and --latest go together"),
        ((*OPTIONS, "--earliest", "2026-11-05T09:00:00"), "has no offset"),
        ((*OPTIONS, "--earliest", "tomorrow"), "is no time such as"),
        ((*OPTIONS, "--file", "x.json"), "--file and --origin-address exclude each other"),
        (("--file", "/nowhere.json"), "/nowhere.json cannot be read: No such file or directory"),
        (("--file", "{folder}/list.json"), "list.json: no JSON object"),
        (("--file", "{folder}/broken.json"), "broken.json: no JSON: "),
        (("--file", "{folder}/argument.json"), "wait: no field of a shipment"),
    ],
)
def test_wrong_arguments_send_nothing(
    waybill: StandIn, run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text('{"weight_kg": }')
    (tmp_path / "argument.json").write_text('{"wait": 1}')
    ended = run("shipments", "create", *(each.format(folder=tmp_path) for each in arguments))
    assert (ended.code, waybill.asked) == (2, [])
    assert said in " ".join(ended.err.split())


def test_a_shipment_is_shown_as_the_api_sends_it(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, SHIPMENT | {"colour": "red"})] * 2
    assert run("shipments", "get", NUMBER, "--json").json == SHIPMENT | {"colour": "red"}
    shown = run("shipments", "get", NUMBER).out
    assert shown.count("2026-11-02T16:00:00.000Z") == 3, "created, updated, and the step of the history"


def test_filters_of_the_list_become_query_parameters(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(page(SHIPMENT))
    ended = run(
        *("shipments", "list", "--status", "created", "--status", "in_transit", "--json"),
        *("--created-from", "2026-11-01T00:00:00Z"),
    )
    assert ended.json == [SHIPMENT]
    asked = parse_qs(urlsplit(waybill.asked[0].path).query)
    assert (asked["status"], asked["created_from"]) == (["created,in_transit"], ["2026-11-01T00:00:00Z"])


def test_a_change_names_the_version_that_it_is_for(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, CHANGED)] * 2
    assert (
        run("shipments", "amend", NUMBER, "--weight-kg", "1.25", "--if-version", "1", "--json").json
        == CHANGED
    )
    assert run("shipments", "cancel", NUMBER, "--if-version", "2", "--wait", "5").code == 0
    amended, cancelled = waybill.asked
    assert (amended.method, amended.body, amended.headers["If-Match"]) == (
        "PATCH",
        {"weight_kg": 1.25},
        '"v1"',
    )
    assert (cancelled.method, cancelled.headers["If-Match"]) == ("DELETE", '"v2"')
    assert cancelled.headers["Prefer"] == "wait=5"
    assert run("shipments", "amend", NUMBER).code == 2


def test_events_of_a_shipment_are_listed(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(EVENT)] * 2
    assert run("shipments", "events", NUMBER, "--outcome", "rejected", "--json").json == [EVENT]
    assert "driver-017" in run("shipments", "events", NUMBER).out
    assert parse_qs(urlsplit(waybill.asked[0].path).query)["outcome"] == ["rejected"]


def test_a_number_is_one_segment_of_the_path(waybill: StandIn, run: Run) -> None:
    waybill.responses.append((200, SHIPMENT))
    run("shipments", "get", "../auth/users?x=1")
    assert waybill.asked[0].path == "/shipments/..%2Fauth%2Fusers%3Fx%3D1"


def test_links_are_made_listed_and_deleted(waybill: StandIn, run: Run) -> None:
    link = {"id": "lnk_1", "created_by": "ana", "created_at": "2026-11-02T16:00:00.000Z", "expires_at": None}
    made = {"id": "lnk_1", "url": "https://waybill.example/track/x#secret", "expires_at": None}
    waybill.responses += [(201, made), (200, {"data": [link]}), (204, b"")]
    assert run("links", "create", NUMBER, "--json").json == made
    assert run("links", "list", NUMBER, "--json").json == [link]
    assert run("links", "delete", NUMBER, "lnk_1").code == 0
    assert [(each.method, each.path) for each in waybill.asked] == [
        ("POST", f"/shipments/{NUMBER}/links"),
        ("GET", f"/shipments/{NUMBER}/links"),
        ("DELETE", f"/shipments/{NUMBER}/links/lnk_1"),
    ]


def test_a_long_address_is_printed_on_one_line_to_be_copied(waybill: StandIn, run: Run) -> None:
    made = {"id": "lnk_1", "url": f"https://waybill.example/track/x#{'s' * 400}", "expires_at": None}
    waybill.responses.append((201, made))
    assert run("links", "create", NUMBER).out == (
        f"id          lnk_1\nurl         {made['url']}\nexpires_at  -\n"
    )


def test_tracking_needs_no_credentials(waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYBILL_USER")
    monkeypatch.delenv("WAYBILL_PASSWORD")
    found = {
        "tracking_number": NUMBER,
        "current_status": "created",
        "steps": [{"status": "created", "timestamp": "2026-11-02T16:00:00.000Z"}],
        "updated_at": "2026-11-02T16:00:00.000Z",
    }
    waybill.responses += [(200, found)] * 2
    assert run("track", NUMBER, "--json").json == found
    assert run("track", NUMBER).out.count("created") == 2
    assert [(each.path, each.token) for each in waybill.asked] == [(f"/public/shipments/{NUMBER}", None)] * 2


@pytest.mark.parametrize(
    ("status", "state", "code"), [(200, "ok", 0), (200, "degraded", 0), (503, "down", 3)]
)
def test_health_that_is_down_is_an_exit_code(
    waybill: StandIn, run: Run, status: int, state: str, code: int
) -> None:
    report = {"status": state, "timestamp": "2026-11-02T16:00:00.000Z", "checks": {"database": state}}
    waybill.responses.append((status, report))
    ended = run("health", "--json")
    assert (ended.code, ended.json) == (code, report)
