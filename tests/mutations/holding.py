"""Safeguards of early events (held once, released once, never out of the end) and of retractions."""

from typing import Final

from tests.mutations.mutation import Mutation

_HOLDING: Final = "libs/domain/src/domain/processing/holding.py"
_EARLY: Final = "libs/domain/src/domain/shipments/early.py"
_BATCH: Final = "libs/domain/src/domain/processing/batch.py"
_DOCUMENTS: Final = "libs/storage/src/storage/mongo/shipment_documents.py"
_PLAN: Final = "tests/unit/domain/test_plan.py"
_RULES: Final = "tests/unit/domain/test_early.py"
_JUDGING: Final = "libs/domain/src/domain/processing/judging.py"
_RECORDING: Final = "libs/domain/src/domain/processing/recording.py"
_RETRACTION: Final = "libs/domain/src/domain/shipments/retraction.py"
_SHIPMENT: Final = "libs/domain/src/domain/shipments/shipment.py"
_RETRACTING: Final = "tests/unit/domain/test_retraction.py"
_RING: Final = "tests/unit/storage/test_checkpoint_ring.py"
_STORED: Final = "tests/contract/test_retractions.py"
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
        name="written-without-effect",
        safety="a shipment that a batch leaves as it was is not written: the update would be empty",
        file=_BATCH,
        old="        if verdicts.shipment is not None and not verdicts.shipment.changes_nothing:\n",
        new="        if verdicts.shipment is not None:\n",
        tests=(f"{_PLAN}::test_a_shipment_that_a_batch_leaves_as_it_was_is_not_in_the_plan",),
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
        name="held-without-bound",
        safety="at most eight events are held for a shipment",
        file=_EARLY,
        old="    return len(shipment.held) < MAX_HELD\n",
        new="    return True\n",
        tests=(f"{_RULES}::test_eight_are_held_and_expired_ones_make_room",),
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
        old="            gone.append(HELD)\n",
        new="            pass\n",
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
        file=_JUDGING,
        old="        repeat_releases(verdicts, consumed, record)\n",
        new="",
        tests=(f"{_RULES}::test_a_replayed_releaser_publishes_what_it_released_after_itself_once_each",),
    ),
    Mutation(
        name="version-not-raised",
        safety="each released event raises the version",
        file=_HOLDING,
        old="    record = _record_of(held, after.version, after.client_id, releaser_id, before)\n",
        new="    record = _record_of(held, after.version - 1, after.client_id, releaser_id, before)\n",
        tests=(f"{_RULES}::test_several_in_a_row_are_applied_in_one_go_each_with_a_version",),
    ),
    Mutation(
        name="earlier-event-retracted",
        safety="only the last event of the history is taken back",
        file=_RETRACTION,
        old="    if len(history) < 2 or history[-1].event_id != command.retracts:",
        new="    if len(history) < 2:",
        tests=(f"{_RETRACTING}::test_only_the_last_event_of_the_history_can_be_taken_back",),
    ),
    Mutation(
        name="creation-retracted",
        safety="a creation is never taken back",
        file=_RETRACTION,
        old="    if len(history) < 2 or history[-1].event_id",
        new="    if history[-1].event_id",
        tests=(f"{_RETRACTING}::test_all_can_be_taken_back_one_after_the_other_but_the_creation",),
    ),
    Mutation(
        name="anybody-retracts",
        safety="a producer takes back its own events only, and within a day",
        file=_RETRACTION,
        old="    if command.reported_by is not None and not _is_own(command, retracted):\n"
        "        return Rejected(RejectionReason.FORBIDDEN)\n",
        new="",
        tests=(f"{_RETRACTING}::test_a_producer_takes_back_its_own_within_a_day_and_an_admin_any",),
    ),
    Mutation(
        name="retraction-keeps-version",
        safety="a retraction raises the version",
        file=_SHIPMENT,
        old="    version = shipment.version + 1\n    if event.retracts",
        new="    version = shipment.version\n    if event.retracts",
        tests=(f"{_RETRACTING}::test_the_status_before_the_last_event_holds_again_and_the_version_rises",),
    ),
    Mutation(
        name="retracted-event-judged",
        safety="a retracted event that is sent again stays retracted",
        file=_BATCH,
        old=" or self.reason is RejectionReason.RETRACTED",
        new="",
        tests=(f"{_RETRACTING}::test_the_same_event_stays_retracted_and_a_new_instant_is_a_new_event",),
    ),
    Mutation(
        name="retracted-event-applied",
        safety="the record of a retracted event tells so",
        file=_RECORDING,
        old="outcome=Outcome.REJECTED, reason=RejectionReason.RETRACTED)",
        new="outcome=Outcome.APPLIED)",
        tests=(f"{_RETRACTING}::test_all_can_be_taken_back_one_after_the_other_but_the_creation",),
    ),
    Mutation(
        name="retracted-checkpoint-stays",
        safety="a retracted checkpoint is not in the history any more",
        file="libs/storage/src/storage/mongo/checkpoints.py",
        old="        self.slots[self.count % MAX_CHECKPOINTS] = None\n",
        new="",
        tests=(f"{_RING}::test_a_retracted_checkpoint_leaves_its_slot_to_the_next_one",),
    ),
    Mutation(
        name="lost-checkpoints-forgotten",
        safety="which event is the last one does not depend on what the document keeps",
        file="libs/storage/src/storage/mongo/processing/histories.py",
        old="        if document.get(COUNT, 0) == kept or kept > retractions:\n",
        new="        if kept >= 0:\n",
        tests=(f"{_STORED}::test_checkpoints_that_the_document_has_lost_are_taken_back_too",),
    ),
    Mutation(
        name="history-not-cut",
        safety="a retracted status is not in the history any more",
        file="libs/storage/src/storage/mongo/processing/transaction_writer.py",
        old="                        changed.append(_update_of(number, cut))\n",
        new="                        pass\n",
        tests=(f"{_STORED}::test_a_history_shows_what_holds_in_however_many_batches",),
    ),
)
