"""Event ids and fingerprints: golden values, order, and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidEventId
from domain.shipments.event_identity import creation_event_id, event_id, fingerprint, tracking_number_of
from domain.shipments.tracking_number import TrackingNumber
from tests.support.builders import NUMBER, number

SHIPMENT = TrackingNumber("99M-7K3M9QX2VTBS")
DIGEST = "lox4htogehdew"  # of scanner-7, by `b2sum -l 64` and RFC 4648
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

instants = st.datetimes(datetime(1971, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# In the one way that the canonical form writes them: no null, no -0.0, numbers as floats.
json_values = st.recursive(
    st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
payloads = st.dictionaries(st.text(), json_values, max_size=5)


@pytest.mark.parametrize(
    ("timestamp", "source", "expected"),
    [
        ("2026-03-01T12:00:00.123+00:00", "scanner-7", f"evt_{SHIPMENT}_019ca9450a7b_lox4htogehdew"),
        ("1970-01-01T00:00:00+00:00", "scanner-7", f"evt_{SHIPMENT}_000000000000_lox4htogehdew"),
        ("9999-12-31T23:59:59.999+00:00", "scanner-7", f"evt_{SHIPMENT}_e677d21fdbff_lox4htogehdew"),
        ("2026-03-01T12:00:00.123+00:00", "warehouse Córdoba", f"evt_{SHIPMENT}_019ca9450a7b_kllmmot6is2gk"),
    ],
)
def test_event_ids_stay_what_they_were(timestamp: str, source: str, expected: str) -> None:
    assert event_id(SHIPMENT, datetime.fromisoformat(timestamp), source) == expected


def test_the_id_of_a_creation_is_the_shipments_own() -> None:
    assert creation_event_id(SHIPMENT) == f"evt_{SHIPMENT}_created"


@given(instants, offsets)
def test_equal_instants_give_the_same_id_in_any_offset(instant: datetime, offset: timezone) -> None:
    assert event_id(SHIPMENT, instant.astimezone(offset), "s") == event_id(SHIPMENT, instant, "s")


@given(instants)
def test_what_is_finer_than_a_millisecond_is_cut_off(instant: datetime) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert event_id(SHIPMENT, instant, "s") == event_id(SHIPMENT, whole, "s")


def test_the_next_millisecond_is_another_event() -> None:
    assert event_id(SHIPMENT, EPOCH, "s") != event_id(SHIPMENT, EPOCH + timedelta(milliseconds=1), "s")


def test_another_shipment_or_source_is_another_event() -> None:
    ids = {
        event_id(shipment, EPOCH, source) for shipment in (number(1), number(2)) for source in ("a", "b", "A")
    }
    assert len(ids) == 6


@given(st.lists(instants, min_size=2, max_size=8), st.text())
def test_ids_of_one_shipment_share_a_prefix_and_sort_by_time(when: list[datetime], source: str) -> None:
    ids = [event_id(SHIPMENT, instant, source) for instant in sorted(when)]
    assert all(each.startswith(f"evt_{SHIPMENT}_") for each in ids)
    assert all(earlier <= later for earlier, later in pairwise(ids))


def test_ids_of_one_shipment_are_a_range_that_holds_no_other_shipments() -> None:
    ids = sorted(event_id(number(index), EPOCH, "s") for index in range(50))
    own = [each for each in ids if f"evt_{NUMBER}_" <= each < f"evt_{NUMBER}`"]
    assert own == [event_id(NUMBER, EPOCH, "s")]


@given(instants, st.text())
def test_an_event_id_names_its_shipment(instant: datetime, source: str) -> None:
    assert tracking_number_of(event_id(NUMBER, instant, source)) == NUMBER
    assert tracking_number_of(creation_event_id(NUMBER)) == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evt_",
        NUMBER,
        f"evt_{SHIPMENT}",
        f"evt_{SHIPMENT}_",
        f"evt_{SHIPMENT}_cancelled",
        f"evt_{SHIPMENT}_created\n",
        f" evt_{SHIPMENT}_created",
        f"evt_{SHIPMENT}_created_{DIGEST}",
        f"evt_{SHIPMENT}_19ca9450a7b_{DIGEST}",  # eleven digits
        f"evt_{SHIPMENT}_0019ca9450a7b_{DIGEST}",  # thirteen
        f"evt_{SHIPMENT}_019CA9450A7B_{DIGEST}",
        f"evt_{SHIPMENT}_-19ca9450a7b_{DIGEST}",
        f"evt_{SHIPMENT}_019ca9450a7b_{DIGEST}a",
        f"evt_{SHIPMENT}_019ca9450a7b_{DIGEST[1:]}",
        f"evt_{SHIPMENT}_019ca9450a7b_{DIGEST.upper()}",
        f"evt_{SHIPMENT}_019ca9450a7b_1{DIGEST[1:]}",  # 0, 1, 8 and 9 are not in RFC 4648's base 32
        f"evt_{SHIPMENT[:-1]}{'0' if SHIPMENT[-1] != '0' else '1'}_created",  # wrong check character
        f"evt_{SHIPMENT.lower()}_created",
        f"EVT_{SHIPMENT}_created",
    ],
)
def test_what_no_event_can_be_called_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventId, match="an event id is evt_"):
        tracking_number_of(text)


@given(payloads, st.randoms())
def test_a_fingerprint_does_not_depend_on_the_order_of_members(
    payload: dict[str, object], random: Random
) -> None:
    members = list(payload.items())
    random.shuffle(members)
    assert fingerprint(dict(members)) == fingerprint(payload)


def test_a_fingerprint_does_not_depend_on_the_order_of_members_inside_members() -> None:
    one = {"location": {"lat": 4.5, "lng": -74.0}, "notes": [{"a": 1, "b": 2}]}
    other = {"notes": [{"b": 2, "a": 1}], "location": {"lng": -74.0, "lat": 4.5}}
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"lat": 0.0}, {"lat": -0.0}),
        ({"lat": 5}, {"lat": 5.0}),
        ({"location": {"lat": 0, "lng": -0.0}}, {"location": {"lng": 0.0, "lat": -0.0}}),
        ({"notes": None, "location": None}, {}),
        ({"location": {"lat": 1.0, "address": None}}, {"location": {"lat": 1.0}}),
        ({"a": [1, -0.0, None]}, {"a": [1.0, 0, None]}),
    ],
)
def test_payloads_that_say_the_same_have_one_fingerprint(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert fingerprint(one) == fingerprint(other)


def test_true_is_not_one() -> None:
    assert len({fingerprint({"a": each}) for each in (True, 1, "1", "true", False, 0, "")}) == 7


def test_what_is_no_json_has_no_fingerprint() -> None:
    with pytest.raises(TypeError, match="bytes is no JSON value"):
        fingerprint({"a": b""})


@given(payloads, payloads)
def test_another_payload_has_another_fingerprint(one: dict[str, object], other: dict[str, object]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (fingerprint(one) == fingerprint(other)) is same


@given(payloads)
def test_a_fingerprint_is_that_of_the_sorted_text_without_blanks(payload: dict[str, object]) -> None:
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    assert fingerprint(payload) == blake2b(text.encode(), digest_size=12).hexdigest()


def test_fingerprints_stay_what_they_were() -> None:
    said = {"status": "picked_up", "notes": "Córdoba", "location": {"lat": 4.5, "lng": -74.0}}
    assert fingerprint(said) == "7fbba73cba6e56fe23dc2f09"
    assert fingerprint({}) == "bf78e4a953b40eee238ca2e9"
