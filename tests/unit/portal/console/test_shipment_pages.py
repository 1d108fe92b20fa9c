"""Pages about shipments, in front of a real query-api."""

import re
from dataclasses import replace

import pytest

from domain.shipments.status import Status
from tests.support.builders import NUMBER, creation, number, report
from tests.unit.portal.console.conftest import Console
from tests.unit.query_api.conftest import CLIENT
from tests.unit.query_api.conftest import World as ApiWorld
from tests.unit.query_api.test_shipments import store

ONE = f"/console/shipments/{NUMBER}"
OTHER = number(2)
MARKUP = "<script>alert(1)</script>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.fixture
async def two_shipments(api_world: ApiWorld) -> None:
    await store(
        api_world,
        [
            replace(creation(), reference="order 4711"),
            creation(OTHER, client_id="client_002"),
            report(Status.PICKED_UP, notes=MARKUP),
            report(Status.DELIVERED),
        ],
    )


pytestmark = pytest.mark.usefixtures("two_shipments")


async def test_the_list_shows_what_the_filters_of_the_address_find(operator: Console) -> None:
    for query, expected in (
        ("", {NUMBER, OTHER}),
        ("client_id=client_002", {OTHER}),
        ("status=picked_up", {NUMBER}),
        ("reference=order+4711", {NUMBER}),
        (f"tracking_number={NUMBER[:9].lower()}", {NUMBER}),
        ("created_from=2026-01-01&created_until=2026-01-01", set()),
        ("reference=none", set()),
    ):
        page = await operator.page(f"/console/shipments?{query}")
        assert set(re.findall(r'shipments/(99M-\w{12})"', page)) == expected, query
    assert "No shipment matches." in page


async def test_a_filter_that_the_api_rejects_is_named_beside_the_form(operator: Console) -> None:
    page = await operator.page("/console/shipments?created_from=yesterday", status=400)
    assert "VALIDATION_ERROR" in page
    assert 'value="yesterday"' in page


async def test_a_shipment_is_shown_with_history_trail_and_links(operator: Console) -> None:
    page = await operator.page(ONE)
    assert ESCAPED in page
    assert MARKUP not in page, "notes are text"
    for words in (
        "Picked up",
        "order 4711",
        "Rejected",
        "The status of the shipment did not allow this.",
        "Links",
    ):
        assert words in page, words
    assert "What may follow that:" in page
    only_applied = await operator.page(f"{ONE}?outcome=applied")
    assert "The status of the shipment did not allow this." not in only_applied


async def test_an_act_shows_what_it_concerns_before_it_is_done(operator: Console) -> None:
    page = await operator.page(ONE)
    assert 'value="cancel"' not in page
    second_look = await operator.page(f"{ONE}?act=cancel")
    assert 'name="version" value="2"' in second_look
    assert "Cancel one shipment" in second_look
    [event_id] = set(re.findall(r"act=retract&amp;target=([^#\"]+)", page))
    retraction = await operator.page(f"{ONE}?act=retract&target={event_id}")
    assert "Retract one event" in retraction


async def test_a_client_sees_its_own_and_cancels_until_it_is_picked_up(
    console: Console, api_world: ApiWorld
) -> None:
    await store(api_world, [creation(number(3))])
    await console.log_in(CLIENT)
    page = await console.page(ONE)
    assert "act=cancel" not in page, "it is picked up"
    assert "act=retract" not in page
    assert "act=cancel" in await console.page(f"/console/shipments/{number(3)}")
    listed = await console.page("/console/shipments")
    assert OTHER not in listed
    assert 'name="client_id"' not in listed
    await console.page(f"/console/shipments/{OTHER}", status=403)
    await console.page(f"/console/shipments/{number(9)}", status=404)


async def test_a_link_is_shown_once_and_can_be_removed(operator: Console) -> None:
    made = await operator.post(ONE, {"act": "make_link"})
    page = await made.text()
    assert made.headers["Cache-Control"] == "no-store"
    [address] = set(re.findall(rf'href="(http://[^"]+/track/{NUMBER}#[\w-]{{43}})"', page))
    again = await operator.page(ONE)
    assert address not in again
    [link_id] = set(re.findall(r"ln_[a-z2-7]+", again))
    second_look = await operator.page(f"{ONE}?act=remove_link&target={link_id}")
    assert "Remove one link" in second_look
    removed = await operator.post(ONE, {"act": "remove_link", "link_id": link_id})
    assert (removed.status, removed.headers["Location"]) == (303, f"{ONE}?notice=link_removed")
    assert link_id not in await operator.page(ONE)
    gone = await operator.post(ONE, {"act": "remove_link", "link_id": link_id})
    assert gone.status == 404
    assert "LINK_NOT_FOUND" in await gone.text()


@pytest.mark.parametrize(
    "fields", [{}, {"act": "explode"}, {"act": "cancel"}, {"act": "cancel", "version": "x"}]
)
async def test_a_form_of_another_shape_is_rejected(operator: Console, fields: dict[str, str]) -> None:
    assert (await operator.post(ONE, fields)).status == 400


async def test_another_clients_shipment_takes_no_act(console: Console) -> None:
    await console.log_in(CLIENT)
    response = await console.post(f"/console/shipments/{OTHER}", {"act": "make_link"})
    assert response.status == 403
