"""Sentences of the tracking page in its three languages, and what of a shipment it shows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.shipments.checkpoint import LABELS
from domain.shipments.public_view import ExpectedDelivery, PublicShipment, PublicStep
from domain.shipments.status import Status
from portal.tracking.reading import Reading
from portal.tracking.view import ShipmentView, shipment_view
from portal.web.languages import languages
from tests.support.builders import NUMBER

NOW = datetime(2026, 11, 30, 18, 17, tzinfo=UTC)  # a Monday; 12:17 in Mexico
MEXICO = "-06:00"
DAY = timedelta(days=1)


def shipment(
    status: Status = Status.IN_TRANSIT,
    *,
    checkpoint: str | None = None,
    ago: timedelta = timedelta(minutes=12),
    expected: ExpectedDelivery | None = None,
    offsets: tuple[str | None, str | None] = (MEXICO, MEXICO),
) -> PublicShipment:
    """Return a shipment that was created three days ago, and of which there was news `ago`."""
    first = PublicStep(status=Status.CREATED, timestamp=NOW - 3 * DAY, utc_offset=offsets[0])
    last = PublicStep(status=status, checkpoint=checkpoint, timestamp=NOW - ago, utc_offset=offsets[1])
    return PublicShipment(
        tracking_number=NUMBER,
        current_status=status,
        steps=(first, last),
        version=2,
        updated_at=NOW - ago,
        ended_at=None,
        expected=expected,
    )


def seen(shown: PublicShipment, language: str = "en", zone: str = "UTC") -> ShipmentView:
    return shipment_view(shown, Reading(languages()[language], NOW, ZoneInfo(zone)))


def between(first: datetime, last: datetime) -> ExpectedDelivery:
    return ExpectedDelivery(earliest=first, latest=last)


@pytest.mark.parametrize(
    ("language", "days", "heading"),
    [
        ("en", 0, "Delivered today"),
        ("en", 1, "Delivered yesterday"),
        ("en", 6, "Delivered on Tuesday"),
        ("en", 7, "Delivered on November 23"),
        ("en", 400, "Delivered on October 26, 2025"),
        ("es", 0, "Entregado hoy"),
        ("es", 3, "Entregado el viernes"),
        ("es", 18, "Entregado el 12 de noviembre"),
        ("es", 400, "Entregado el 26 de octubre de 2025"),
        ("pt", 1, "Entregue ontem"),
        ("pt", 2, "Entregue no sábado"),
        ("pt", 6, "Entregue na terça-feira"),
        ("pt", 18, "Entregue em 12 de novembro"),
    ],
)
def test_heading_says_when_it_was_delivered(language: str, days: int, heading: str) -> None:
    delivered = seen(shipment(Status.DELIVERED, ago=days * DAY), language)
    assert (delivered.state.heading, delivered.state.tone) == (heading, "arrived")
    assert not delivered.state.may_change


@pytest.mark.parametrize("language", ["es", "en", "pt"])
@pytest.mark.parametrize("code", LABELS)
def test_heading_is_the_latest_checkpoint(language: str, code: str) -> None:
    state = seen(shipment(checkpoint=code), language).state
    assert state.heading == LABELS[code][language]
    assert (state.tone == "trouble") == (code in {"delivery_failed", "on_hold", "returning"})


TOMORROW = datetime(2026, 12, 1, 21, tzinfo=UTC)  # 15:00 in Mexico

FRIDAY = datetime(2026, 12, 4, 6, tzinfo=UTC)  # its first minute in Mexico


@pytest.mark.parametrize(
    ("language", "expected", "sentence"),
    [
        ("en", between(TOMORROW, TOMORROW + timedelta(hours=4)), "tomorrow, between 3:00 PM and 7:00 PM"),
        ("es", between(TOMORROW, TOMORROW + timedelta(hours=4)), "mañana, entre 3:00 p.m. y 7:00 p.m."),
        ("pt", between(TOMORROW, TOMORROW + timedelta(hours=4)), "amanhã, entre 15:00 e 19:00"),
        ("en", between(TOMORROW + 2 * DAY, TOMORROW + 2 * DAY), "on Thursday, around 3:00 PM"),
        ("en", between(TOMORROW, TOMORROW + 3 * DAY), "between December 1 and December 4"),
        ("es", between(TOMORROW, TOMORROW + 3 * DAY), "entre el 1 de diciembre y el 4 de diciembre"),
        (
            "en",
            between(datetime(2026, 12, 4, 6, tzinfo=UTC), datetime(2026, 12, 5, 5, 59, tzinfo=UTC)),
            "Friday",
        ),
        ("en", between(NOW - 2 * DAY, NOW - DAY), "Later than planned"),
        ("pt", between(NOW - 2 * DAY, NOW - DAY), "Mais tarde que o previsto"),
        ("en", between(NOW - DAY, NOW + DAY), "between November 29 and December 1"),
    ],
)
def test_expected_delivery_is_a_sentence(language: str, expected: ExpectedDelivery, sentence: str) -> None:
    arrival = seen(shipment(expected=expected), language).state.arrival
    assert arrival is not None
    assert arrival.replace("\u202f", " ").endswith(sentence)


def test_expected_delivery_of_what_has_arrived_is_not_shown() -> None:
    past = between(NOW - 2 * DAY, NOW - DAY)
    for status in (Status.DELIVERED, Status.CANCELLED):
        state = seen(shipment(status, expected=past)).state
        assert (state.arrival, state.is_late) == (None, False)
    assert seen(shipment(expected=past)).state.is_late
    assert seen(shipment()).state.arrival is None


@pytest.mark.parametrize(
    ("ago", "english", "spanish", "portuguese"),
    [
        (timedelta(), "1 second ago", "hace 1 segundo", "há 1 segundo"),
        (-timedelta(minutes=4), "1 second ago", "hace 1 segundo", "há 1 segundo"),
        (timedelta(minutes=1), "1 minute ago", "hace 1 minuto", "há 1 minuto"),
        (timedelta(minutes=12), "12 minutes ago", "hace 12 minutos", "há 12 minutos"),
        (timedelta(hours=23), "23 hours ago", "hace 23 horas", "há 23 horas"),
        (9 * DAY, "1 week ago", "hace 1 semana", "há 1 semana"),
    ],
)
def test_age_of_the_news_is_in_words_and_never_in_the_future(
    ago: timedelta, english: str, spanish: str, portuguese: str
) -> None:
    for language, words in (("en", english), ("es", spanish), ("pt", portuguese)):
        assert seen(shipment(ago=ago), language).state.news_ago == words


def test_times_are_those_of_the_place_and_name_their_zone_once() -> None:
    same = seen(shipment()).history
    assert same.zone == "UTC−06:00"  # noqa: RUF001
    assert same.steps[0].time.text == "today, 12:05\u202fPM"
    assert (same.steps[0].time.iso, same.steps[0].time.offset_min) == ("2026-11-30T18:05:00.000Z", -360)
    differing = seen(shipment(offsets=(MEXICO, "+05:30"))).history
    assert differing.zone is None
    assert [step.time.text for step in differing.steps] == [
        "today, 11:35\u202fPM (UTC+05:30)",
        "Fri, Nov 27, 12:17\u202fPM (UTC−06:00)",  # noqa: RUF001
    ]


def test_times_without_an_offset_are_in_the_zone_of_the_brand() -> None:
    plain = shipment(offsets=(None, None))
    assert seen(plain).history.zone == "UTC"
    assert seen(plain, zone="America/Mexico_City").history.zone == "UTC−06:00"  # noqa: RUF001


def test_time_without_an_offset_is_in_the_zone_of_the_scan_beside_it() -> None:
    created_by_a_request = seen(shipment(offsets=(None, MEXICO)), zone="Asia/Tokyo").history
    assert created_by_a_request.zone == "UTC−06:00"  # noqa: RUF001
    seen_by_another_scanner = seen(shipment(offsets=(MEXICO, None)), zone="Asia/Tokyo").history
    assert seen_by_another_scanner.zone == "UTC−06:00"  # noqa: RUF001


def test_day_is_that_of_the_place() -> None:
    late = shipment(Status.DELIVERED, ago=timedelta(hours=13), offsets=("+09:00", "+09:00"))  # 14:17 in Japan
    assert seen(late).state.heading == "Delivered yesterday"  # there it is 03:17 of Tuesday


@pytest.mark.parametrize(
    ("status", "done", "upcoming"),
    [
        (Status.CREATED, 1, ("Delivered", "In transit", "In warehouse", "Picked up")),
        (Status.IN_TRANSIT, 4, ("Delivered",)),
        (Status.DELIVERED, 5, ()),
        (Status.CANCELLED, None, ()),
    ],
)
def test_steps_to_come_are_those_of_a_shipment_that_arrives(
    status: Status, done: int | None, upcoming: tuple[str, ...]
) -> None:
    view = seen(shipment(status))
    assert (view.state.progress.done if view.state.progress else None) == done
    assert view.history.upcoming == upcoming
