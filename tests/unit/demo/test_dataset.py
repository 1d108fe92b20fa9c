import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from hashlib import sha256

from demo.dataset.cities import CITIES
from demo.dataset.generate import generate
from demo.dataset.model import Numbers, scan_id
from demo.dataset.records import DataSet
from demo.dataset.stories import STORIES
from domain.shipments.tracking_number import is_tracking_number

DIGEST = "e3796ce3df66ed9fb5669b1b46bd845024a22944b3250218c4b43ee2547499e3"
"""SHA-256 of all that is sent: to another data set, the events of an earlier demo would be strangers."""


def test_the_data_set_is_the_same_at_every_run(data: DataSet) -> None:
    bodies = [[booking.key, booking.body()] for booking in data.bookings]
    bodies += [[scan.of, scan.body(scan.of)] for scan in data.scans]
    assert sha256(json.dumps(bodies).encode()).hexdigest() == DIGEST
    assert generate() == data


def test_there_are_a_thousand_shipments_of_two_clients(data: DataSet) -> None:
    assert sum(count for count, _ in STORIES) == len(data.bookings) == 1000
    assert len({booking.key for booking in data.bookings}) == 1000
    assert {booking.client_id for booking in data.bookings} == {"client_001", "client_002"}


def test_parcels_travel_between_different_cities_of_mexico(data: DataSet) -> None:
    assert len({city.name for city in CITIES}) == len({city.code for city in CITIES}) == 25
    for booking in data.bookings:
        ends = [_city_of(place["address"]) for place in (booking.origin, booking.destination)]
        assert len(set(ends)) == 2
    for scan in data.scans:
        assert 14.5 < scan.location["lat"] < 32.8
        assert -117.3 < scan.location["lng"] < -86.7


def test_everything_happened_on_one_day_of_the_past(data: DataSet) -> None:
    opening, closing = datetime(2026, 11, 2, 11, 30, tzinfo=UTC), datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert all(opening < scan.instant < closing for scan in data.scans)


def test_no_scan_claims_to_come_from_the_api(data: DataSet) -> None:
    assert {scan.source.partition("-")[0] for scan in data.scans} == {"driver", "warehouse", "scanner"}


def test_strays_have_valid_numbers_that_nobody_was_given(data: DataSet, numbers: Numbers) -> None:
    strays = {scan.of for scan in data.scans if scan.of.startswith("99M-")}
    given = {numbers[booking.key] for booking in data.bookings}
    assert len(strays) == 9
    assert all(is_tracking_number(stray) for stray in strays)
    assert not strays & given


def test_the_same_id_means_the_same_scan_or_a_correction(data: DataSet, numbers: Numbers) -> None:
    by_id = defaultdict(list)
    for scan in data.scans:
        by_id[scan_id(scan, numbers)].append(scan)
    others = Counter(scan.notes for first, *more in by_id.values() for scan in more if scan != first)
    assert others
    assert all((note or "").startswith("Corrección") for note in others)


def test_most_shipments_are_scanned_four_times_or_more(data: DataSet) -> None:
    per_shipment = Counter(scan.of for scan in data.scans)
    assert sum(count >= 4 for count in per_shipment.values()) > 800
    assert max(per_shipment.values()) <= 8


def _city_of(address: str) -> str:
    return address.split(", ")[-2]
