"""Changes through the API: whose shipment, how far on its way, and what an amendment leaves as it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.processing.batch import Kind, Outcome
from domain.processing.judging import judge
from domain.shipments.amendment import merged
from domain.shipments.commands import (
    AmendShipment,
    Command,
    CreateShipment,
    Dimensions,
    ReportStatus,
    RetractEvent,
    ShipmentChanges,
)
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Amended, Rejected, Repeated, Shipment, StatusChanged, decide, evolve
from domain.shipments.status import REPORTABLE, TRANSITIONS, Status, is_terminal
from tests.support.builders import (
    BOXED,
    HEAVIER,
    NOON,
    NUMBER,
    ROUTE,
    amendment,
    consumed,
    consumed_all,
    creation,
    report,
    shipment_after,
)

CREATION = creation()
PATHS: dict[Status, tuple[Status, ...]] = {
    Status.CREATED: (),
    **{status: ROUTE[: place + 1] for place, status in enumerate(ROUTE)},
    Status.CANCELLED: (Status.CANCELLED,),
}
FORBIDDEN = Rejected(RejectionReason.FORBIDDEN)
NOT_NOW = Rejected(RejectionReason.INVALID_TRANSITION)
UNMET = Rejected(RejectionReason.PRECONDITION_FAILED)
UNKNOWN = Rejected(RejectionReason.SHIPMENT_NOT_FOUND)


def shipment_at(status: Status) -> Shipment:
    return shipment_after(CREATION, *(report(step) for step in PATHS[status]))


def cancellation(client_id: str | None = None) -> ReportStatus:
    return report(Status.CANCELLED, source="api", on_behalf_of=client_id)


def amendment_by(client_id: str) -> AmendShipment:
    return amendment(on_behalf_of=client_id)


@pytest.mark.parametrize("status", list(Status))
def test_an_admin_amends_until_nothing_can_follow(status: Status) -> None:
    allowed = decide(shipment_at(status), amendment())
    assert allowed == (NOT_NOW if is_terminal(status) else Amended(amendment().event_id))


@pytest.mark.parametrize("status", list(Status))
def test_an_admin_cancels_where_the_table_says(status: Status) -> None:
    decision = decide(shipment_at(status), cancellation())
    expected = StatusChanged(cancellation().event_id, Status.CANCELLED)
    assert decision == (expected if Status.CANCELLED in TRANSITIONS[status] else NOT_NOW)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("make", [amendment_by, cancellation])
def test_a_client_changes_its_own_as_long_as_nobody_has_touched_it(
    status: Status, make: Callable[[str], Command]
) -> None:
    shipment = shipment_at(status)
    own = decide(shipment, make("client_001"))
    assert (own == NOT_NOW) == (status is not Status.CREATED)
    assert isinstance(own, Amended | StatusChanged | Rejected)
    assert decide(shipment, make("client_002")) == FORBIDDEN
    assert decide(shipment, make("")) == FORBIDDEN, "a client without a client's id owns nothing"
    assert decide(None, make("client_001")) == UNKNOWN


def test_nothing_is_amended_of_a_shipment_that_does_not_exist() -> None:
    assert decide(None, amendment()) == UNKNOWN
    with pytest.raises(ValueError, match="only a creation can come first"):
        evolve(None, Amended(amendment().event_id))


SIDE: ShipmentChanges = {"package": {"dimensions": {"length": 31.0}}}


def with_dimensions(*commands: Command) -> Shipment:
    return shipment_after(CREATION, amendment(changes=BOXED), *commands)


def test_one_dimension_alone_is_refused_while_there_are_none() -> None:
    refused = decide(shipment_after(CREATION), amendment(changes=SIDE))
    assert refused == Rejected(RejectionReason.INCOMPLETE_DIMENSIONS)
    two: ShipmentChanges = {"package": {"weight_kg": 1.0, "dimensions": {"length": 1.0, "height": 2.0}}}
    assert decide(shipment_after(CREATION), amendment(changes=two)) == refused


@pytest.mark.parametrize("steps", [(), (Status.PICKED_UP,), ROUTE[:3]])
def test_one_dimension_alone_is_taken_once_there_are_all(steps: tuple[Status, ...]) -> None:
    shipment = with_dimensions(*(report(step) for step in steps))
    assert shipment.has_dimensions
    decision = decide(shipment, amendment(changes=SIDE, at=NOON))
    assert not isinstance(decision, Rejected | Repeated)
    assert evolve(shipment, decision).has_dimensions


def test_an_amendment_of_something_else_gives_no_dimensions() -> None:
    assert not shipment_after(CREATION, amendment()).has_dimensions


def test_a_creation_may_have_dimensions() -> None:
    sides: Dimensions = {"length": 1, "width": 1, "height": 1}
    whole = replace(CREATION, package={"weight_kg": 1.0, "dimensions": sides})
    assert shipment_after(whole).has_dimensions


def test_whose_shipment_it_is_comes_before_what_is_missing() -> None:
    assert (
        decide(shipment_at(Status.CREATED), amendment(changes=SIDE, on_behalf_of="client_002")) == FORBIDDEN
    )


def test_merging_replaces_each_member_and_each_side_and_keeps_its_inputs() -> None:
    package = {"weight_kg": 1.0, "dimensions": {"length": 1.0, "width": 2.0, "height": 3.0}}
    changes = {"dimensions": {"width": 9.0}, "content_description": "libros"}
    assert merged(package, changes) == {
        "weight_kg": 1.0,
        "dimensions": {"length": 1.0, "width": 9.0, "height": 3.0},
        "content_description": "libros",
    }
    assert package["dimensions"] == {"length": 1.0, "width": 2.0, "height": 3.0}
    assert merged({"weight_kg": 1.0}, changes)["dimensions"] == {"width": 9.0}


def test_an_amendment_counts_the_version_and_leaves_status_and_history() -> None:
    before = shipment_at(Status.PICKED_UP)
    after = evolve(before, Amended(amendment().event_id))
    assert after == Shipment(NUMBER, "client_001", Status.PICKED_UP, before.version + 1, before.applied)


def test_an_applied_amendment_is_recorded_with_the_status_of_its_shipment() -> None:
    result = judge([consumed(amendment(), 7)], shipment_at(Status.PICKED_UP), {})
    record = result.events[amendment().event_id].record
    assert record is not None
    assert (record.outcome, record.status, record.version) == (Outcome.APPLIED, Status.PICKED_UP, 3)
    assert result.shipment is not None
    assert result.shipment.applied == [consumed(amendment(), 7)]


@pytest.mark.parametrize("changed", [amendment(on_behalf_of="client_002"), cancellation("client_002")])
def test_a_forbidden_amendment_reveals_neither_owner_nor_status(changed: Command) -> None:
    result = judge([consumed(changed)], shipment_at(Status.PICKED_UP), {changed.event_id: None})
    record = result.events[changed.event_id].record
    assert record is not None
    assert (record.reason, record.client_id, record.version) == (RejectionReason.FORBIDDEN, None, None)
    assert record.status is (None if isinstance(changed, AmendShipment) else Status.CANCELLED)


def test_an_amendment_that_comes_twice_in_a_batch_is_applied_once() -> None:
    result = judge(consumed_all(CREATION, amendment(), amendment()), None, {})
    assert [verdict.kind for verdict in result.verdicts] == [Kind.JUDGED, Kind.JUDGED, Kind.DUPLICATE]
    assert result.shipment is not None
    assert result.shipment.after.version == 2


def test_an_amendment_of_an_earlier_batch_is_taken_for_new_until_the_store_says_otherwise() -> None:
    shipment = shipment_after(CREATION, amendment())
    blind = judge([consumed(amendment(), 9)], shipment, {})
    assert blind.events[amendment().event_id].is_new, "the insert of its record will fail"
    first = (
        judge([consumed(amendment(), 1)], shipment_after(CREATION), {}).events[amendment().event_id].record
    )
    seeing = judge([consumed(amendment(), 9)], shipment, {amendment().event_id: first})
    assert [verdict.kind for verdict in seeing.verdicts] == [Kind.DUPLICATE]
    assert seeing.shipment is None


clients = st.sampled_from([None, "client_001", "client_002"])
commands: st.SearchStrategy[Command] = st.one_of(
    st.just(CREATION),
    st.builds(
        report, st.sampled_from(REPORTABLE), source=st.sampled_from(["a", "api"]), on_behalf_of=clients
    ),
    st.builds(
        amendment,
        changes=st.sampled_from([HEAVIER, BOXED, SIDE]),
        at=st.integers(0, 5).map(lambda n: NOON + timedelta(seconds=n)),
        on_behalf_of=clients,
    ),
)


@given(st.lists(commands, max_size=25))
def test_whatever_is_sent_a_walk_stays_legal_and_each_change_adds_one_version(sent: list[Command]) -> None:
    states: list[Shipment | None] = [None]
    applied: list[Command] = []
    for command in sent:
        decision = decide(states[-1], command)
        if not isinstance(decision, Rejected | Repeated):
            states.append(evolve(states[-1], decision))
            applied.append(command)
    walked = [state for state in states if state is not None]
    assert [state.version for state in walked] == list(range(1, len(walked) + 1))
    steps = [
        (before.status, after.status) for before, after in pairwise(walked) if before.status != after.status
    ]
    assert all(after in TRANSITIONS[before] for before, after in steps)
    for before, command in zip(walked, applied[1:], strict=False):
        assert not isinstance(command, CreateShipment | RetractEvent)
        if command.on_behalf_of is not None:
            assert (command.on_behalf_of, before.status) == ("client_001", Status.CREATED)


CHANGES = (cancellation, amendment)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("expected", "is_met"), [((1,), True), ((2, 1), True), ((2,), False), ((), False)])
def test_a_change_is_made_to_an_expected_version_only(
    change: Callable[[], AmendShipment | ReportStatus], expected: tuple[int, ...], *, is_met: bool
) -> None:
    decision = decide(shipment_at(Status.CREATED), replace(change(), expected_versions=expected))
    assert decision == (UNMET if not is_met else decide(shipment_at(Status.CREATED), change()))


@pytest.mark.parametrize("change", CHANGES)
def test_an_unexpected_version_comes_after_ownership_and_before_the_transition(
    change: Callable[[], AmendShipment | ReportStatus],
) -> None:
    stale = replace(change(), expected_versions=(1,))
    delivered = shipment_at(Status.DELIVERED)
    assert decide(None, stale) == UNKNOWN
    assert decide(delivered, replace(stale, on_behalf_of="client_002")) == FORBIDDEN
    assert decide(delivered, stale) == UNMET
    assert decide(delivered, replace(stale, expected_versions=(delivered.version,))) == NOT_NOW


def test_an_applied_change_that_comes_again_is_not_judged_by_the_version_it_made() -> None:
    change = replace(cancellation(), expected_versions=(1,))
    assert decide(shipment_after(CREATION, change), change) == Repeated()


def test_of_two_changes_of_one_version_the_first_in_the_log_is_applied() -> None:
    first, second = (
        replace(amendment(at=NOON + timedelta(seconds=n)), expected_versions=(1,)) for n in (1, 2)
    )
    verdicts = judge(
        consumed_all(first, second), shipment_after(CREATION), {first.event_id: None, second.event_id: None}
    )
    outcomes = [(each.event.outcome, each.event.reason) for each in verdicts.verdicts if each.event]
    assert outcomes == [(Outcome.APPLIED, None), (Outcome.REJECTED, RejectionReason.PRECONDITION_FAILED)]


def test_no_sides_are_no_dimensions() -> None:
    assert merged({"weight_kg": 1}, {"dimensions": {}}) == {"weight_kg": 1}
    assert merged({"dimensions": {"length": 1}}, {"dimensions": {}}) == {"dimensions": {"length": 1}}
