"""Safeguards of early events: held once, released once, never out of the end, never forgotten."""

from typing import Final

from tests.mutations.mutation import Mutation

_HOLDING: Final = "libs/domain/src/domain/processing/holding.py"
_EARLY: Final = "libs/domain/src/domain/shipments/early.py"
_BATCH: Final = "libs/domain/src/domain/processing/batch.py"
_DOCUMENTS: Final = "libs/storage/src/storage/mongo/documents.py"
_RULES: Final = "tests/unit/domain/test_early.py"
_ADAPTERS: Final = "tests/unit/storage/test_adapters.py"

HOLDING: Final = (
    Mutation(
        name="held-twice",
        safety="a held event that is sent again takes no second place, and its hold is not prolonged",
        file=_HOLDING,
        old="    if held is None or held.fingerprint != consumed.fingerprint or ",
        new="    if held is None or held.fingerprint == consumed.fingerprint or ",
        tests=(f"{_RULES}::test_a_resend_takes_no_second_place_and_prolongs_nothing",),
    ),
    Mutation(
        name="held-for-the-end",
        safety="nothing is held for a shipment that has ended, and no step back is",
        file=_EARLY,
        old="        and can_reach(shipment.status, command.status)\n",
        new="",
        tests=(
            f"{_RULES}::test_nothing_is_held_for_a_shipment_that_has_ended",
            f"{_RULES}::test_of_all_pairs_those_are_held_that_lie_further_ahead",
        ),
    ),
    Mutation(
        name="held-applied-out-of-terminal",
        safety="a held event is applied only where the table allows it",
        file=_EARLY,
        old="        if can_follow(shipment.status, held.command.status) and not",
        new="        if not",
        tests=(f"{_RULES}::test_a_cancelled_shipment_holds_nothing_any_more",),
    ),
    Mutation(
        name="held-for-ever",
        safety="a hold ends at its time",
        file=_EARLY,
        old="    return accepted_at > held.held_until\n",
        new="    return False\n",
        tests=(f"{_RULES}::test_a_held_event_expires_by_the_time_of_the_one_that_would_release_it",),
    ),
    Mutation(
        name="held-lost-at-takeover",
        safety="the next owner of a partition reads what is held",
        file=_DOCUMENTS,
        old='document["_id"]) for each in document.get(HELD, ())',
        new='document["_id"]) for each in ()',
        tests=(f"{_ADAPTERS}::test_a_held_event_is_read_as_it_was_written",),
    ),
    Mutation(
        name="held-not-cleared",
        safety="a released event is not held any more: it is not applied a second time",
        file=_DOCUMENTS,
        old='"$unset": {HELD: ""}} if fields else',
        new='"$unset": {"nothing": ""}} if fields else',
        tests=(f"{_ADAPTERS}::test_a_released_event_leaves_its_shipment_with_nothing_held",),
    ),
    Mutation(
        name="released-published-by-itself",
        safety="a released event is published after its releaser, not when its own record is read again",
        file=_BATCH,
        old=" and self.event.released_by is None",
        new="",
        tests=(f"{_RULES}::test_a_replayed_resend_of_a_released_event_publishes_nothing",),
    ),
    Mutation(
        name="release-not-repeated",
        safety="a repeated batch publishes the released events again",
        file="libs/domain/src/domain/processing/judging.py",
        old="        repeat_releases(verdicts, consumed, record)\n",
        new="",
        tests=(f"{_RULES}::test_a_replayed_releaser_publishes_what_it_released_after_itself_once_each",),
    ),
    Mutation(
        name="version-not-raised",
        safety="each released event raises the version",
        file=_HOLDING,
        old="    record = _record_of(held, after.version, after.client_id, releaser_id)\n",
        new="    record = _record_of(held, after.version - 1, after.client_id, releaser_id)\n",
        tests=(f"{_RULES}::test_several_in_a_row_are_applied_in_one_go_each_with_a_version",),
    ),
)
