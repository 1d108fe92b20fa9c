"""`decide` and `evolve`: a shipment only ever walks along the table."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shipments.commands import Command, ReportStatus
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Rejected, Repeated, Shipment, StatusChanged, decide, evolve
from domain.shipments.status import REPORTABLE, Status
from tests.support.builders import NUMBER, ROUTE, creation, report, shipment_after

LEGAL_WALKS = {
    (),
    ("created",),
    ("created", "cancelled"),
    ("created", "picked_up"),
    ("created", "picked_up", "cancelled"),
    ("created", "picked_up", "in_warehouse"),
    ("created", "picked_up", "in_warehouse", "cancelled"),
    ("created", "picked_up", "in_warehouse", "in_transit"),
    ("created", "picked_up", "in_warehouse", "in_transit", "delivered"),
}

commands = st.one_of(
    st.just(creation()),
    st.builds(report, st.sampled_from(REPORTABLE), source=st.sampled_from(["a", "b"])),
)


def walk(sent: list[Command]) -> list[Shipment]:
    """Return the shipment after each command that changed it."""
    states: list[Shipment] = []
    for command in sent:
        decision = decide(states[-1] if states else None, command)
        if not isinstance(decision, Rejected | Repeated):
            states.append(evolve(states[-1] if states else None, decision))
    return states


def test_a_creation_makes_a_shipment_of_its_client() -> None:
    shipment = shipment_after(creation(client_id="client_007"))
    assert shipment == Shipment(NUMBER, "client_007", Status.CREATED, 1, (creation().event_id,))


def test_nothing_is_reported_of_a_shipment_that_does_not_exist() -> None:
    assert decide(None, report(Status.PICKED_UP)) == Rejected(RejectionReason.SHIPMENT_NOT_FOUND)


def test_a_status_change_keeps_whose_shipment_it_is_and_counts_the_version() -> None:
    before = shipment_after(creation())
    picked_up = report(Status.PICKED_UP)
    assert decide(before, picked_up) == StatusChanged(picked_up.event_id, Status.PICKED_UP)
    assert evolve(before, StatusChanged(picked_up.event_id, Status.PICKED_UP)) == Shipment(
        NUMBER, before.client_id, Status.PICKED_UP, 2, (creation().event_id, picked_up.event_id)
    )


@pytest.mark.parametrize("status", [Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED])
def test_a_step_that_skips_another_is_rejected(status: Status) -> None:
    assert decide(shipment_after(creation()), report(status)) == Rejected(RejectionReason.INVALID_TRANSITION)


def test_the_same_status_from_another_source_is_rejected_not_repeated() -> None:
    shipment = shipment_after(creation(), report(Status.PICKED_UP, source="scanner-1"))
    again = report(Status.PICKED_UP, source="scanner-2")
    assert decide(shipment, again) == Rejected(RejectionReason.INVALID_TRANSITION)


def test_a_shipment_cannot_be_reported_as_created() -> None:
    assert decide(shipment_after(creation()), report(Status.CREATED)) == Rejected(
        RejectionReason.INVALID_TRANSITION
    )


def test_a_second_creation_is_a_repetition_whatever_it_says() -> None:
    assert decide(shipment_after(creation()), creation(client_id="client_002")) == Repeated()


def test_every_event_of_the_history_is_recognised_without_a_look_up() -> None:
    sent: list[Command] = [creation(), *(report(status) for status in ROUTE)]
    shipment = shipment_after(*sent)
    assert shipment.status is Status.DELIVERED
    assert [decide(shipment, command) for command in sent] == [Repeated()] * 5


def test_a_status_change_cannot_come_first() -> None:
    with pytest.raises(ValueError, match="only a creation can come first"):
        evolve(None, StatusChanged(report(Status.PICKED_UP).event_id, Status.PICKED_UP))


@given(st.lists(commands, max_size=25))
def test_any_sequence_of_commands_is_a_legal_walk(sent: list[Command]) -> None:
    assert tuple(state.status.value for state in walk(sent)) in LEGAL_WALKS


@given(st.lists(commands, max_size=25))
def test_each_change_adds_one_version_and_one_event_and_keeps_the_rest(sent: list[Command]) -> None:
    states = walk(sent)
    assert [state.version for state in states] == list(range(1, len(states) + 1))
    assert all(len(state.applied) == state.version == len(set(state.applied)) for state in states)
    assert all(later.applied[:-1] == earlier.applied for earlier, later in pairwise(states))
    assert len({(state.tracking_number, state.client_id) for state in states}) <= 1


@given(st.lists(commands, max_size=12))
def test_applying_everything_twice_equals_applying_it_once(sent: list[Command]) -> None:
    doubled = [command for command in sent for _ in range(2)]
    assert walk(doubled) == walk(sent)


@given(st.lists(commands, max_size=12))
def test_what_has_been_applied_is_never_applied_again(sent: list[Command]) -> None:
    states = walk(sent)
    if states:
        applied = [command for command in sent if command.event_id in states[-1].applied]
        assert all(decide(states[-1], command) == Repeated() for command in applied)


@given(st.lists(commands, max_size=12), commands)
def test_a_rejected_command_names_one_of_two_reasons(sent: list[Command], command: Command) -> None:
    states = walk(sent)
    decision = decide(states[-1] if states else None, command)
    if isinstance(decision, Rejected):
        assert isinstance(command, ReportStatus)
        missing = not states
        assert decision.reason == ("SHIPMENT_NOT_FOUND" if missing else "INVALID_TRANSITION")
