"""A plan gathers what became of all shipments of a batch."""

from dataclasses import replace
from datetime import timedelta

from domain.processing.batch import HoldEnd, by_shipment
from domain.shipments.status import Status
from tests.support.builders import consumed_all, creation, number, plan_for, report, shipment_after

ONE, OTHER = number(1), number(2)
HOLD = timedelta(hours=24)


def test_consumed_commands_are_grouped_by_shipment_in_the_order_of_the_log() -> None:
    sent = consumed_all(creation(OTHER), creation(ONE), report(Status.PICKED_UP, OTHER), creation(OTHER))
    groups = by_shipment(sent)
    assert {key: [each.offset for each in group] for key, group in groups.items()} == {
        OTHER: [0, 2, 3],
        ONE: [1],
    }
    assert list(groups) == [OTHER, ONE]


def test_a_plan_holds_the_verdicts_events_and_changes_of_every_shipment() -> None:
    sent = consumed_all(creation(ONE), report(Status.PICKED_UP, OTHER), report(Status.PICKED_UP, ONE))
    plan = plan_for(sent, {OTHER: shipment_after(creation(OTHER))})
    assert plan.next_offset == 3
    assert {verdict.consumed.offset for verdict in plan.verdicts} == {0, 1, 2}
    assert {change.event_id for change in plan.events} == {each.command.event_id for each in sent}
    assert {key: change.after.version for key, change in plan.shipments.items()} == {ONE: 2, OTHER: 2}


def test_a_shipment_that_does_not_change_is_not_in_the_plan() -> None:
    plan = plan_for(consumed_all(report(Status.DELIVERED, ONE)))
    assert (len(plan.events), plan.shipments) == (1, {})


def test_a_shipment_that_a_batch_leaves_as_it_was_is_not_in_the_plan() -> None:
    early = report(Status.DELIVERED, ONE)
    late = report(Status.CREATED, ONE)
    late = replace(late, received_at=early.received_at + HOLD + timedelta(seconds=1))
    batch = [replace(each, hold=HOLD) for each in consumed_all(early, late)]
    known = dict.fromkeys(each.command.event_id for each in batch)
    plan = plan_for(batch, {ONE: shipment_after(creation(ONE))}, known)
    assert [change.hold_end for change in plan.events] == [HoldEnd.EXPIRED, None]
    assert plan.shipments == {}


def test_shipments_do_not_see_each_other() -> None:
    sent = consumed_all(creation(ONE), report(Status.PICKED_UP, OTHER), report(Status.PICKED_UP, ONE))
    together = plan_for(sent)
    assert together.shipments == plan_for([sent[0], sent[2]]).shipments
    assert together.events[2:] == plan_for([sent[1]]).events
