"""Safeguards of the rules, the processor and its worker: duplicates and order."""

from typing import Final

from tests.mutations.mutation import Mutation

_WORK: Final = "tests/unit/messaging/test_partition_worker.py"
_PROCESSING: Final = "services/processor/src/processor/use_cases"
_PARTITION: Final = f"{_PROCESSING}/shipment_partition.py"
_APPLIER: Final = f"{_PROCESSING}/batch_applier.py"
_BATCH: Final = f"{_PROCESSING}/partition_batch.py"
_CYCLE: Final = f"{_PROCESSING}/shared_cycle.py"
_FENCE: Final = f"{_PROCESSING}/partition_fence.py"
_READER: Final = f"{_PROCESSING}/record_reader.py"
_WORKER: Final = "libs/messaging/src/messaging/consumer/partition"
_RULES: Final = "libs/domain/src/domain/shipments/shipment.py"
_JUDGE: Final = "libs/domain/src/domain/processing/judging.py"
_RECORDING: Final = "libs/domain/src/domain/processing/recording.py"
_LIFE: Final = "tests/unit/domain/test_shipment.py"
_AMENDING: Final = "tests/unit/domain/test_amending.py"
_VERDICTS: Final = "tests/unit/domain/test_judge.py"
_TROUBLE: Final = "tests/unit/processor/test_failures.py"
_SHARED: Final = "tests/unit/processor/test_shared_cycle.py"
_HINTS: Final = "tests/unit/processor/test_hints.py"
_BACK: Final = "tests/unit/messaging/test_partition_rewinding.py"
_POISON: Final = "tests/unit/messaging/test_partition_poison.py"

_HANDLE: Final = """\
            applied = await self._retrier.until_done(lambda: self._handle(batch))
"""
_DEAD_LETTER: Final = """\
            await self._retrier.until_done(lambda: self._isolating.dead_letter(dead_letter))
"""
_COMMIT: Final = """\
        await self._judge(batches, known)
        try:
"""

APPLYING: Final = (
    Mutation(
        name="history-not-asked",
        safety="an event that stands in the history of its shipment is not applied again",
        file=_RULES,
        old="    if command.event_id in shipment.applied:\n        return Repeated()\n",
        new="",
        tests=(f"{_LIFE}::test_what_has_been_applied_is_never_applied_again",),
    ),
    Mutation(
        name="condition-ignored",
        safety="a change on the condition of a version is not made to another one",
        file=_RULES,
        old="        return RejectionReason.PRECONDITION_FAILED\n",
        new="        pass\n",
        tests=(f"{_AMENDING}::test_a_change_is_made_to_an_expected_version_only",),
    ),
    Mutation(
        name="creation-twice",
        safety="a shipment is created once",
        file=_RULES,
        old="        if shipment is None:\n            return _creation(",
        new="        if True:\n            return _creation(",
        tests=(f"{_LIFE}::test_a_second_creation_is_a_repetition_whatever_it_says",),
    ),
    Mutation(
        name="duplicate-not-recognised",
        safety="another record of an applied event is a duplicate",
        file=_JUDGE,
        old="    return Kind.DUPLICATE if record.fingerprint == consumed.fingerprint else Kind.CONFLICT\n",
        new="    return Kind.JUDGED if record.fingerprint == consumed.fingerprint else Kind.CONFLICT\n",
        tests=(f"{_VERDICTS}::test_a_duplicate_of_an_earlier_batch_is_counted_and_gets_the_recorded_event",),
    ),
    Mutation(
        name="conflict-not-recognised",
        safety="the same id with another payload is a conflict; the first stands",
        file=_JUDGE,
        old="    return Kind.DUPLICATE if record.fingerprint == consumed.fingerprint else Kind.CONFLICT\n",
        new="    return Kind.DUPLICATE\n",
        tests=(f"{_VERDICTS}::test_another_payload_is_a_conflict_and_the_first_counts",),
    ),
    Mutation(
        name="conflict-not-recorded",
        safety="a payload that does not stand is kept on the event that it repeats",
        file=_RECORDING,
        old="        change.others.append(OtherPayload(consumed, reason))\n",
        new="",
        tests=(f"{_VERDICTS}::test_another_payload_is_a_conflict_and_the_first_counts",),
    ),
    Mutation(
        name="rejected-event-stands",
        safety="only an applied event stands: another payload of a rejected one is judged",
        file=_JUDGE,
        old="    if not record.has_been_applied:\n        return Kind.JUDGED\n",
        new="    if not record.has_been_applied and record.fingerprint == consumed.fingerprint:\n"
        "        return Kind.JUDGED\n",
        tests=(
            f"{_VERDICTS}::test_another_payload_of_an_event_that_was_not_applied_is_judged_and_replaces_it",
        ),
    ),
    Mutation(
        name="redelivery-not-seen",
        safety="a record below the fence's offset is known as one that may come again",
        file=_READER,
        old="            redelivered=record.offset < applied_below,\n",
        new="            redelivered=False,\n",
        tests=(f"{_TROUBLE}::test_redelivered_duplicates_are_not_counted_twice",),
    ),
    Mutation(
        name="redelivery-not-looked-up",
        safety="a record that may have been counted before is looked up before it is judged",
        file=_APPLIER,
        old="            {consumed.command.event_id for consumed in commands if consumed.redelivered}\n",
        new="            set()\n",
        tests=(f"{_TROUBLE}::test_redelivered_duplicates_are_not_counted_twice",),
    ),
    Mutation(
        name="fence-moves-back",
        safety="a redelivered batch does not move the fence back",
        file=_BATCH,
        old="        self.plan = Plan(max(self.next_offset, self.fence.next_offset))\n",
        new="        self.plan = Plan(self.next_offset)\n",
        tests=(f"{_TROUBLE}::test_redelivered_records_do_not_move_the_fence_back",),
    ),
    Mutation(
        name="cache-survives-takeover",
        safety="an owner that takes the partition back reads what others have written",
        file=_FENCE,
        old="        self._cache.clear()\n        self.held = await self._store.acquire(",
        new="        self.held = await self._store.acquire(",
        tests=(f"{_HINTS}::test_a_new_owner_reads_what_the_one_before_wrote",),
    ),
    Mutation(
        name="cache-survives-doubt",
        safety="after a commit whose end is unknown nothing remembered is trusted",
        file=_FENCE,
        old="        self.held = fence\n        self._cache.clear()\n",
        new="        self.held = fence\n",
        tests=(f"{_HINTS}::test_a_commit_that_went_through_unheard_leaves_nothing_older_in_the_cache",),
    ),
    Mutation(
        name="stale-knowledge-ignored",
        safety="a plan that takes too much for granted is made again, from what the store knows",
        file=_APPLIER,
        old="            await self._judge(batches, known)\n            await self._commit(batches)\n",
        new="",
        tests=(f"{_HINTS}::test_a_filter_that_outlived_the_store_loses_nothing",),
    ),
    Mutation(
        name="marked-before-commit",
        safety="the duplicate filter learns of an event after its commit",
        file=_APPLIER,
        old=_COMMIT,
        new=_COMMIT.replace("        try:\n", "        await self.give_hints(batches)\n        try:\n"),
        tests=(f"{_HINTS}::test_an_event_whose_commit_failed_is_not_taken_for_a_duplicate",),
    ),
    Mutation(
        name="published-before-commit",
        safety="nothing is published before it is written",
        file=_APPLIER,
        old=_COMMIT,
        new=_COMMIT.replace("        try:\n", "        await self.publish(batches[0])\n        try:\n"),
        tests=(f"{_TROUBLE}::test_nothing_is_published_before_the_transaction_is_known",),
    ),
    Mutation(
        name="feed-not-awaited",
        safety="a batch is done only when the change feed has it",
        file=_CYCLE,
        old="            await applier.publish(batch)\n",
        new="            asyncio.ensure_future(applier.publish(batch))\n",
        tests=(
            f"{_TROUBLE}::test_an_unpublished_change_is_published_when_the_batch_is_retried",
            f"{_SHARED}::test_one_that_cannot_be_published_fails_alone",
        ),
    ),
    Mutation(
        name="large-batch-not-published",
        safety="a large batch is done only when the change feed has it, as a small one is",
        file=_PARTITION,
        old=", self._applier.publish(batch))\n",
        new=")\n",
        tests=(f"{_TROUBLE}::test_an_unpublished_change_of_a_large_batch_is_published_when_it_is_retried",),
    ),
    Mutation(
        name="offset-before-transaction",
        safety="an offset is committed only when everything below it is applied",
        file=f"{_WORKER}/applying.py",
        old=_HANDLE,
        new=f"            self._queue.done = (batch or self._queue.inbox)[-1].offset + 1\n{_HANDLE}",
        tests=(f"{_WORK}::test_done_never_passes_a_record_that_is_not_applied",),
    ),
    Mutation(
        name="reopened-batch-handled",
        safety="a batch of a re-created log is not handled before the partition is taken over again",
        file=f"{_WORKER}/applying.py",
        old="            if self._status.has_ended or self._queue.log_changed:",
        new="            if self._status.has_ended:",
        tests=(
            (
                "tests/unit/messaging/test_partition_resuming.py"
                "::test_a_log_that_is_recreated_while_its_batch_waits_for_a_slot_is_taken_over_again"
            ),
        ),
    ),
    Mutation(
        name="dead-letter-only-logged",
        safety="a record that cannot be applied is dead-lettered",
        file=f"{_WORKER}/dead_lettering.py",
        old=_DEAD_LETTER,
        new="            pass\n",
        tests=(f"{_POISON}::test_an_unreadable_record_is_tried_once",),
    ),
    Mutation(
        name="dead-letter-not-awaited",
        safety="nothing continues before a dead letter is written",
        file=f"{_WORKER}/dead_lettering.py",
        old=_DEAD_LETTER,
        new="            import asyncio\n\n"
        + _DEAD_LETTER.replace("await ", "_ = asyncio.ensure_future(", 1).replace("\n", ")\n"),
        tests=(f"{_POISON}::test_nothing_continues_before_the_dead_letter_is_stored",),
    ),
    Mutation(
        name="committed-offset-believed",
        safety="reading starts where the fence stands, whatever the group has committed",
        file=f"{_WORKER}/ownership.py",
        old="        if first > applied and (applied or not queue.is_unread):\n",
        new="        if first < 0:\n",
        tests=(f"{_BACK}::test_what_the_fence_does_not_know_is_read_again",),
    ),
    Mutation(
        name="dead-lettered-beside-the-fence",
        safety="a dead-lettered record is not dead-lettered again by the next owner",
        file=_PARTITION,
        old="        next_offset = max(dead_letter.record.offset + 1, self._fence.next_offset)\n",
        new="        next_offset = self._fence.next_offset\n",
        tests=(
            "tests/unit/processor/test_published_results.py::test_a_dead_lettered_record_is_not_read_again_by_the_next_owner",
        ),
    ),
)
