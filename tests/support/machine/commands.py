"""Strategies for the commands to send: journeys from any point, contradictions, changes."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from domain.shipments.commands import AmendShipment, Command, CreateShipment, RetractEvent, ShipmentChanges
from domain.shipments.status import REPORTABLE, Status
from domain.shipments.tracking_number import TrackingNumber
from tests.support.builders import (
    BOXED,
    HEAVIER,
    LONGER,
    NOON,
    RENAMED,
    ROUTE,
    amendment,
    checkpoint,
    creation,
    number,
    report,
    retraction,
)

NUMBERS = st.sampled_from([number(1), number(2)])
ELSEWHERE: ShipmentChanges = {"origin": {"address": "Carrera 7"}, "package": {"weight_kg": 1.5}}


def _story(tracking_number: TrackingNumber, start: int, length: int) -> list[Command]:
    story: list[Command] = [creation(tracking_number), *(report(status, tracking_number) for status in ROUTE)]
    return story[start : start + length]


def _contradiction(command: Command) -> Command:
    if isinstance(command, CreateShipment):
        return replace(command, client_id="client_002")
    if isinstance(command, AmendShipment):
        return replace(command, changes={"package": {"weight_kg": 99.0}})
    if isinstance(command, RetractEvent):
        return replace(command, reason="for another reason")
    return replace(command, notes="something else at the same instant")


def _early_story(tracking_number: TrackingNumber, route: list[Status], length: int) -> list[Command]:
    story: list[Command] = [creation(tracking_number)]
    story += [report(status, tracking_number) for status in route]
    return story[:length]


def _story_with_hubs(tracking_number: TrackingNumber, hubs: int) -> list[Command]:
    story = _story(tracking_number, 0, 2)
    story += [checkpoint("hub", tracking_number, at=NOON + timedelta(hours=hour)) for hour in range(hubs)]
    return story


JOURNEYS = (
    st.builds(_story, NUMBERS, st.just(0), st.integers(1, 5))
    | st.builds(_early_story, NUMBERS, st.permutations(ROUTE), st.integers(3, 5))
    | st.builds(_story_with_hubs, NUMBERS, st.integers(1, 3))
)
"""The commands of one shipment from its creation on; some come early, some are checkpoints."""
_stories = JOURNEYS | st.builds(_story, NUMBERS, st.integers(1, 4), st.integers(1, 4))
_reports = st.builds(
    replace,
    st.builds(report, st.sampled_from(REPORTABLE), NUMBERS, source=st.sampled_from("ab")),
    utc_offset=st.sampled_from([None, "-06:00"]),
)
_late_reports = st.builds(
    lambda command, days: replace(command, received_at=command.received_at + timedelta(days=days)),
    _reports,
    st.integers(0, 2),
)
_clients = st.sampled_from([None, "client_001", "client_002"])
_cancellations = st.builds(
    report, st.just(Status.CANCELLED), NUMBERS, source=st.just("api"), on_behalf_of=_clients
)
_amendments = st.builds(
    amendment,
    NUMBERS,
    changes=st.sampled_from([HEAVIER, ELSEWHERE, LONGER, BOXED, RENAMED]),
    at=st.integers(0, 3).map(lambda second: NOON + timedelta(seconds=second)),
    on_behalf_of=_clients,
)
_changes = st.builds(
    lambda change, versions: replace(change, expected_versions=versions),
    _cancellations | _amendments,
    st.none() | st.lists(st.integers(1, 4), max_size=2).map(tuple),
)
_checkpoints = st.builds(
    checkpoint,
    st.sampled_from(["arrived_at_hub", "departed_hub", "ours"]),
    NUMBERS,
    at=st.integers(0, 3).map(lambda hour: NOON + timedelta(hours=hour)),
    source=st.sampled_from("ab"),
)
_retractions = st.builds(
    lambda of, days, by: retraction(of, at=NOON + timedelta(days=days), reported_by=by),
    _reports
    | _checkpoints
    | _cancellations
    | st.builds(report, st.sampled_from(REPORTABLE), NUMBERS)
    | st.builds(creation, NUMBERS),
    st.integers(0, 2),
    st.sampled_from([None, None, "driver_user_001", "driver_user_002"]),
)
_singles = _retractions | _reports | _late_reports | _checkpoints | _changes
SINGLES = _stories.map(lambda story: story[0]) | _singles
"""One command."""
_taken_back = JOURNEYS.map(lambda story: [*story, retraction(story[-1])])
SOME = (
    _stories | _taken_back | SINGLES.map(lambda one: [one]) | SINGLES.map(lambda one: [_contradiction(one)])
)
"""A few commands that follow each other in the log."""
