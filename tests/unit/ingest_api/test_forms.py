"""Flat and nested bodies are equivalent, and faults have the names that were sent."""

from typing import Any

import pytest

from domain.shipments.commands import AmendShipment, CreateShipment
from messaging import codec
from tests.support.builders import NUMBER
from tests.unit.ingest_api.bodies import Body, event_body, flat_body, shipment_body, without
from tests.unit.ingest_api.doubles import Ingest

PATH = f"/shipments/{NUMBER}"
BOX = {"length": 31, "width": 21, "height": 11}


async def test_a_shipment_sent_flat_and_nested_has_one_fingerprint(ingest: Ingest) -> None:
    for body in (flat_body(), shipment_body()):
        assert (await ingest.post("/shipments", body, Idempotency_Key="order 17")).status == 201
    flat, nested = [codec.decode(codec.encode(command)) for command in ingest.log.commands]
    assert flat == nested


@pytest.mark.parametrize("body", [flat_body(), shipment_body()])
async def test_null_field_is_left_out(ingest: Ingest, body: Body) -> None:
    bare = without(body, "client_id")
    if "package" in body:
        bare["package"] = {"weight_kg": 2.5}
        nulls: Body = {"package": {"weight_kg": 2.5, "dimensions": None, "content_description": None}}
    else:
        optional = ("length_cm", "width_cm", "height_cm", "content_description")
        bare = {name: value for name, value in bare.items() if name not in optional}
        nulls = dict.fromkeys(optional)
    for each in (bare | {"client_id": "client_001"}, bare | nulls | {"client_id": "client_001"}):
        assert (await ingest.post("/shipments", each, Idempotency_Key="order 17")).status == 201
    left_out, null = [codec.decode(codec.encode(command)) for command in ingest.log.commands]
    assert left_out == null


ORDER = {
    "reference": "order 4711",
    "estimated_delivery": {"earliest": "2026-11-05T09:00:00-06:00", "latest": "2026-11-05T18:00:00.9999Z"},
}
EXPECTED = {"earliest": "2026-11-05T15:00:00.000Z", "latest": "2026-11-05T18:00:00.999Z"}
BEFORE, BEYOND = "1969-12-31T23:59:59Z", "9999-12-31T23:00:00-06:00"


@pytest.mark.parametrize("body", [flat_body(**ORDER), shipment_body(**ORDER)])
async def test_reference_and_estimated_delivery_are_the_same_in_both_forms(
    ingest: Ingest, body: Body
) -> None:
    assert (await ingest.post("/shipments", body)).status == 201
    [command] = ingest.log.commands
    assert isinstance(command, CreateShipment)
    assert (command.reference, command.estimated_delivery) == ("order 4711", EXPECTED)


@pytest.mark.parametrize("beside", [{"weight_kg": 1.0}, {"package": {"weight_kg": 1.0}}, {}])
async def test_reference_and_estimated_delivery_can_be_changed(ingest: Ingest, beside: Body) -> None:
    nulls = {"reference": None, "estimated_delivery": None}
    assert (await ingest.ask("PATCH", PATH, ORDER | beside)).status == 200
    assert (await ingest.ask("PATCH", PATH, nulls | beside)).status == (200 if beside else 400)
    changed = [command.changes for command in ingest.log.commands if isinstance(command, AmendShipment)]
    weight = {"package": {"weight_kg": 1.0}} if beside else {}
    assert changed[0] == weight | {"reference": "order 4711", "estimated_delivery": EXPECTED}
    assert changed[1:] == ([weight] if beside else [])


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"reference": ""}, "/reference"),
        ({"reference": "r" * 129}, "/reference"),
        ({"reference": 4711}, "/reference"),
        ({"reference": "two\nlines"}, "/reference"),
        ({"estimated_delivery": {"earliest": EXPECTED["earliest"]}}, "/estimated_delivery/latest"),
        ({"estimated_delivery": EXPECTED | {"earliest": None}}, "/estimated_delivery/earliest"),
        ({"estimated_delivery": EXPECTED | {"latest": "2026-11-05"}}, "/estimated_delivery/latest"),
        ({"estimated_delivery": EXPECTED | {"latest": "2026-11-05T14:59:59Z"}}, "/estimated_delivery"),
        ({"estimated_delivery": EXPECTED | {"earliest": BEFORE}}, "/estimated_delivery/earliest"),
        ({"estimated_delivery": EXPECTED | {"latest": BEYOND}}, "/estimated_delivery/latest"),
        ({"estimated_delivery": EXPECTED | {"zone": "CST"}}, "/estimated_delivery/zone"),
        ({"estimated_delivery": EXPECTED["earliest"]}, "/estimated_delivery"),
    ],
)  # fmt: skip
async def test_faults_of_reference_and_estimated_delivery_are_named(
    ingest: Ingest, members: Body, pointer: str
) -> None:
    for body in (flat_body(**members), shipment_body(**members)):
        response = await ingest.post("/shipments", body)
        assert (response.status, response.pointers) == (400, [pointer])
    response = await ingest.ask("PATCH", PATH, members)
    assert (response.status, response.pointers) == (400, [pointer])
    assert ingest.log.commands == []


async def test_an_event_with_nulls_is_the_one_without_them(ingest: Ingest) -> None:
    place = {"lat": 4.6, "lng": -74.1}
    pairs: list[tuple[Body, Body]] = [
        ({"location": place}, {"location": place | {"address": None}, "notes": None}),
        ({}, {"location": None, "notes": None}),
    ]
    bare = without(without(event_body(), "location"), "notes")
    for pair in pairs:
        ingest.log.appended.clear()
        for members in pair:
            assert (await ingest.post("/events", bare | members)).status == 202
        left_out, null = [codec.decode(codec.encode(command)) for command in ingest.log.commands]
        assert left_out == null


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ({"weight_kg": 3.5}, {"package": {"weight_kg": 3.5}}),
        ({"height_cm": 4}, {"package": {"dimensions": {"height": 4}}}),
        ({"length_cm": 31, "width_cm": 21, "height_cm": 11}, {"package": {"dimensions": BOX}}),
        (
            {"origin_lat": 1.0, "origin_lng": 2.0},
            {"origin": {"coordinates": {"lat": 1.0, "lng": 2.0}}},
        ),
        (
            {"destination_address": "Larco 345", "content_description": None},
            {"destination": {"address": "Larco 345", "coordinates": None}, "package": {"weight_kg": None}},
        ),
    ],
)
async def test_an_amendment_sent_flat_and_nested_is_the_same(
    ingest: Ingest, flat: Body, nested: Body
) -> None:
    for body in (flat, nested):
        assert (await ingest.ask("PATCH", PATH, body)).status == 200
    one, other = ingest.log.commands
    assert isinstance(one, AmendShipment)
    assert isinstance(other, AmendShipment)
    assert one.changes == other.changes


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"origin": None, "origin_address": "Larco 345"}, 200),
        ({"origin": {"address": "Larco 345"}, "origin_address": None, "weight_kg": None}, 200),
        ({"origin": None, "origin_address": None}, 400),
        ({"origin": None}, 400),
        ({"origin_address": None}, 400),
    ],
)
async def test_null_of_the_other_form_is_left_out(ingest: Ingest, body: Body, status: int) -> None:
    assert (await ingest.ask("PATCH", PATH, body)).status == status
    assert [command.changes for command in ingest.log.commands if isinstance(command, AmendShipment)] == (
        [{"origin": {"address": "Larco 345"}}] if status == 200 else []
    )


@pytest.mark.parametrize("body", [flat_body(origin=None, package=None), shipment_body(weight_kg=None)])
async def test_a_new_shipment_may_have_null_of_the_other_form(ingest: Ingest, body: Body) -> None:
    assert (await ingest.post("/shipments", body)).status == 201


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (flat_body(origin={"address": "x"}), {f"/{name}" for name in flat_body() if name != "client_id"}),
        (shipment_body(weight_kg=1), {"/weight_kg"}),
        (shipment_body(length_cm=None, colour=None), {"/colour"}),
        (shipment_body(length_cm=None, weight_kg=1), {"/weight_kg"}),
        (shipment_body(length_cm=None) | {"origin": None}, {"/origin"}),
        (flat_body(origin_lat=91, colour=1), {"/origin_lat", "/colour"}),
        (without(flat_body(), "width_cm"), {"/width_cm"}),
        (flat_body(width_cm=None, height_cm=None, weight_kg=0), {"/width_cm", "/height_cm", "/weight_kg"}),
        ({}, {f"/{place}_{name}" for place in ("origin", "destination") for name in ("address", "lat", "lng")}
            | {"/weight_kg"}),
    ],
)  # fmt: skip
async def test_faults_are_named_by_the_pointers_that_were_sent(
    ingest: Ingest, body: Body, pointers: set[str]
) -> None:
    response = await ingest.post("/shipments", body)
    assert (response.status, set(response.pointers)) == (400, pointers)
    assert len(response.pointers) == len(pointers)
    assert ingest.log.commands == []


async def test_fault_of_a_body_of_both_forms_names_the_fields_of_each(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", shipment_body(weight_kg=1))
    [fault] = response.body["details"]
    assert all(name in fault["message"] for name in ("flat form", "destination, origin, package", "nested"))


async def test_body_with_very_many_members_is_rejected_unparsed(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", {f"x{index}": 1 for index in range(20_000)})
    assert response.status == 400
    assert "more than 100 members" in response.body["message"]


async def test_numbers_are_equal_in_both_forms(ingest: Ingest) -> None:
    await ingest.post("/shipments", flat_body())
    [command] = ingest.log.commands
    assert isinstance(command, CreateShipment)
    expected: dict[str, Any] = shipment_body()
    assert (command.origin, command.destination, command.package) == (
        expected["origin"],
        expected["destination"],
        expected["package"],
    )
