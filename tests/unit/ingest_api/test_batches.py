"""Batches: NDJSON, and `Prefer: handling=lenient`."""

import asyncio
import json
from unittest import mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from httpkit.request.bodies import bound_bodies
from ingest_api.schemas.batch_bodies import SLICE, read_batch
from tests.support.fakes import FixedClock
from tests.unit.ingest_api.bodies import event_body
from tests.unit.ingest_api.doubles import ADMIN, HTTP, HttpResponse, Ingest

NDJSON = "application/x-ndjson"
JSON = "application/json"
LENIENT = "handling=lenient"


async def send(ingest: Ingest, body: object, *, kind: str = JSON, prefer: str = "") -> HttpResponse:
    return await ingest.post("/events/batch", body, Content_Type=kind, Prefer=prefer)


def lines(*events: object) -> bytes:
    return b"\n".join(event if isinstance(event, bytes) else json.dumps(event).encode() for event in events)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_ndjson_is_a_batch_of_one_event_per_line(ingest: Ingest, end: bytes) -> None:
    body = lines(event_body(), event_body(source="scanner-2")) + end
    response = await send(ingest, body, kind=NDJSON)
    assert (response.status, response.body["received"], response.body["queued"]) == (202, 2, 2)
    assert [command.event_id for command in ingest.log.commands] == [
        item["event_id"] for item in response.body["events"]
    ]


async def test_faults_of_ndjson_are_named_by_line(ingest: Ingest) -> None:
    body = lines(event_body(), event_body(source="api"), event_body(x=1))
    response = await send(ingest, body, kind=NDJSON)
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert response.pointers == ["/events/1/source", "/events/2/x"]
    assert ingest.log.commands == []


@pytest.mark.parametrize("line", [b"", b"{", b'{"a":1,"a":1}', b"{},{}", b'{"a":NaN}'])
async def test_malformed_line_is_reported(ingest: Ingest, line: bytes) -> None:
    response = await send(ingest, lines(event_body(), line, event_body()), kind=NDJSON)
    assert (response.status, response.body["error"], response.pointers) == (
        400,
        "INVALID_JSON",
        ["/events/1"],
    )


@pytest.mark.parametrize("body", [b"", b"\n", b" "])
async def test_empty_ndjson_is_400(ingest: Ingest, body: bytes) -> None:
    assert (await send(ingest, body, kind=NDJSON)).status == 400


async def test_ndjson_has_the_limits_of_json(ingest: Ingest) -> None:
    assert (await send(ingest, lines(*[event_body()] * 1000), kind=NDJSON)).status == 202
    response = await send(ingest, lines(*[event_body()] * 1001), kind=NDJSON)
    assert (response.status, response.pointers) == (400, ["/events"])
    assert (await send(ingest, b"\n" * (2 * 1024 * 1024 + 1), kind=NDJSON)).status == 413


@pytest.mark.parametrize("as_lines", [False, True])
async def test_lenient_batch_queues_valid_and_lists_invalid_events(ingest: Ingest, *, as_lines: bool) -> None:
    events = [event_body(), event_body(status="lost", x=1), event_body(source="scanner-2")]
    body = lines(*events) if as_lines else lines({"events": events})
    response = await send(ingest, body, prefer=LENIENT, kind=NDJSON if as_lines else JSON)
    assert response.status == 202
    assert response.headers["Preference-Applied"] == "handling=lenient"
    assert [response.body[name] for name in ("received", "queued", "rejected")] == [3, 2, 1]
    first, bad, last = response.body["events"]
    assert [first["event_id"], last["event_id"]] == [command.event_id for command in ingest.log.commands]
    assert (bad["index"], bad["status"], bad["error"]) == (1, "rejected", "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in bad["details"]] == ["/events/1/status", "/events/1/x"]


async def test_lenient_batch_lists_malformed_lines(ingest: Ingest) -> None:
    response = await send(ingest, lines(event_body(), b"{"), prefer=LENIENT, kind=NDJSON)
    assert (response.status, response.body["events"][1]["error"]) == (202, "INVALID_JSON")


CLASHING = (event_body(), event_body(notes="otherwise"), event_body(source="other"), event_body())


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_batch_that_contradicts_itself_is_rejected(ingest: Ingest, kind: str) -> None:
    body = {"events": CLASHING} if kind == JSON else lines(*CLASHING)
    response = await send(ingest, body, kind=kind)
    assert (response.status, response.body["error"], response.pointers) == (
        400,
        "VALIDATION_ERROR",
        ["/events/0", "/events/1"],
    )
    assert ingest.log.commands == []


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_lenient_batch_queues_the_first_of_two_contradicting_events(ingest: Ingest, kind: str) -> None:
    body = {"events": CLASHING} if kind == JSON else lines(*CLASHING)
    response = await send(ingest, body, kind=kind, prefer=LENIENT)
    assert [response.body[name] for name in ("received", "queued", "rejected")] == [4, 3, 1]
    assert response.body["message"] == "Some events accepted for processing"
    assert [item["status"] for item in response.body["events"]] == ["queued", "rejected", "queued", "queued"]
    assert [getattr(command, "notes", None) for command in ingest.log.commands] == ["at the gate"] * 3


@pytest.mark.parametrize(
    "again",
    [
        event_body(location={"lng": 0.0, "lat": 5.0}),
        event_body(location={"lat": 5, "lng": -0.0}),
        event_body(location={"lat": 5, "lng": 0}, timestamp="2026-03-01T06:00:00.123-06:00"),
        event_body(location={"lat": 5, "lng": 0}, timestamp="2026-03-01T12:00:00.1234Z"),
    ],
)
async def test_the_same_event_twice_in_a_batch_is_no_fault(ingest: Ingest, again: dict[str, object]) -> None:
    first = event_body(location={"lat": 5.0, "lng": 0.0})
    response = await send(ingest, {"events": [first, again]})
    assert (response.status, response.body["queued"]) == (202, 2)


@pytest.mark.parametrize("bad", [{"events": [event_body(source="api")]}, {"events": []}, {"x": 1}, []])
async def test_lenient_batch_without_a_valid_event_is_400(ingest: Ingest, bad: object) -> None:
    response = await send(ingest, bad, prefer=LENIENT)
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert ingest.log.commands == []


async def test_lenient_batch_with_ambiguous_json_is_400(ingest: Ingest) -> None:
    body = json.dumps({"events": [event_body()]})[:-1] + ',"events":[]}'
    assert (await send(ingest, body.encode(), prefer=LENIENT)).body["error"] == "INVALID_JSON"


async def test_the_faults_of_one_bad_event_are_not_all_listed(ingest: Ingest) -> None:
    bad = event_body(**{f"x{index}": 1 for index in range(50)})
    response = await send(ingest, {"events": [event_body(), bad]}, prefer=LENIENT)
    assert len(response.body["events"][1]["details"]) == 11


@pytest.mark.parametrize("as_lines", [False, True])
async def test_the_first_faults_of_a_batch_end_it(ingest: Ingest, as_lines: bool) -> None:  # noqa: FBT001  # a parameter
    events = [{"x": index} for index in range(1000)]
    body = lines(*events) if as_lines else lines({"events": events})
    response = await send(ingest, body, kind=NDJSON if as_lines else JSON)
    assert (response.status, len(response.pointers)) == (400, 100)
    assert response.body["message"].endswith("the last 980 events were not looked at")


@pytest.mark.parametrize("as_lines", [False, True])
async def test_lenient_batch_lists_each_invalid_event_but_not_each_fault(
    ingest: Ingest,
    as_lines: bool,  # noqa: FBT001  # a parameter
) -> None:
    events = [event_body(), *({"x": index} for index in range(999))]
    body = lines(*events) if as_lines else lines({"events": events})
    response = await send(ingest, body, prefer=LENIENT, kind=NDJSON if as_lines else JSON)
    listed = response.body["events"]
    assert (response.status, len(listed), response.body["rejected"]) == (202, 1000, 999)
    assert [len(listed[index]["details"]) for index in (1, 200, 201, 999)] == [5, 5, 1, 1]


@pytest.mark.parametrize("as_lines", [False, True])
async def test_contradictions_are_named_together_with_all_other_faults(
    ingest: Ingest,
    as_lines: bool,  # noqa: FBT001  # a parameter
) -> None:
    events = [event_body(), event_body(x=1), event_body(notes="otherwise"), event_body(source="api")]
    body = lines(*events) if as_lines else lines({"events": events})
    response = await send(ingest, body, kind=NDJSON if as_lines else JSON)
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert response.pointers == ["/events/1/x", "/events/0", "/events/2", "/events/3/source"]
    assert ingest.log.commands == []


async def test_lenient_batch_lists_contradictions_in_one_detail_beyond_a_thousand_faults(
    ingest: Ingest,
) -> None:
    events = [event_body(), event_body(x=1), *(event_body(notes=str(index)) for index in range(998))]
    response = await send(ingest, lines({"events": events}), prefer=LENIENT)
    listed = response.body["events"]
    assert (response.status, response.body["queued"], response.body["rejected"]) == (202, 1, 999)
    assert [len(listed[index]["details"]) for index in (2, 500, 501, 999)] == [2, 2, 1, 1]
    assert listed[999]["details"][0]["pointer"] == "/events/999"


async def test_other_requests_are_served_between_the_events_of_a_batch() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    body = lines({"events": [event_body(source=f"scanner-{index}") for index in range(1000)]})
    app = web.Application()
    bound_bodies(app, HTTP)
    request = make_mocked_request("POST", "/", headers={"Content-Type": JSON}, app=app)
    counting = asyncio.create_task(count())
    with mock.patch("ingest_api.schemas.batch_bodies.read_body", return_value=body):
        assert len(await read_batch(request, ADMIN, FixedClock(), lenient=False)) == 1000
    counting.cancel()
    assert turns >= 1000 // SLICE - 1


@pytest.mark.parametrize("kind", [NDJSON, "application/ndjson", "application/jsonl"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"])
async def test_ndjson_has_three_names_and_may_end_with_a_blank_line(
    ingest: Ingest, kind: str, end: bytes
) -> None:
    response = await send(ingest, lines(event_body(), event_body(source="b")).rstrip(b"\n") + end, kind=kind)
    assert (response.status, response.body["queued"]) == (202, 2)


async def test_two_blank_lines_at_the_end_are_rejected(ingest: Ingest) -> None:
    response = await send(ingest, lines(event_body()).rstrip(b"\n") + b"\n\n\n", kind=NDJSON)
    assert (response.status, response.pointers) == (400, ["/events/1"])
