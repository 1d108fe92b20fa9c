"""Safeguards of the consumer and the producer for a log that others write to or replace."""

from typing import Final

from tests.mutations.mutation import Mutation

_MESSAGING: Final = "libs/messaging/src/messaging"
_UNIT: Final = "tests/unit/messaging"

CONSUMING: Final = (
    Mutation(
        name="place-not-checked",
        safety="a record in another place than its key's is not applied",
        file="services/processor/src/processor/use_cases/record_reader.py",
        old="        require_place(record, decoded.command.tracking_number, self._generation.partitions)\n",
        new="",
        tests=(
            (
                "tests/unit/processor/test_record_placement.py"
                "::test_another_ones_key_gets_no_shipment_past_its_quarantine"
            ),
        ),
    ),
    Mutation(
        name="unpacking-stops-at-a-fault",
        safety="what cannot be unpacked takes nothing with it",
        file=f"{_MESSAGING}/unpacking.py",
        old="                yield from self._items_around(error)\n",
        new="                raise error\n",
        tests=(
            (
                f"{_UNIT}/test_unpacking.py"
                "::test_a_header_name_that_is_not_utf8_is_the_fault_of_its_record_alone"
            ),
        ),
    ),
    Mutation(
        name="unreadable-batch-jumped",
        safety="a batch that cannot be read is not jumped",
        file=f"{_MESSAGING}/consumer/worker/inbox.py",
        old="                self.unreadable = record\n",
        new="                continue\n",
        tests=(
            (
                f"{_UNIT}/test_partition_resuming.py"
                "::test_a_batch_that_cannot_be_read_halts_behind_what_can_and_is_skipped_alone"
            ),
        ),
    ),
    Mutation(
        name="plain-done-before-handled",
        safety="a plain consumer commits a record when its handler has returned, not before",
        file=f"{_MESSAGING}/consumer/plain_consumer.py",
        old="            await self._retrier.until_done(lambda: self._handle(records))\n",
        new="            queue.done = records[-1].offset + 1\n"
        "            await self._retrier.until_done(lambda: self._handle(records))\n",
        tests=(
            f"{_UNIT}/test_plain_worker.py::test_batches_are_handled_in_order_and_done_only_afterwards",
            f"{_UNIT}/test_plain_worker.py::test_a_transient_error_is_retried_in_place_and_shown",
        ),
    ),
    Mutation(
        name="plain-skips-silently",
        safety="a plain consumer counts what nobody can read",
        file=f"{_MESSAGING}/consumer/plain_consumer.py",
        old="        self._skipped(end - batch.offset)\n",
        new="",
        tests=(
            (
                f"{_UNIT}/test_plain_worker.py"
                "::test_an_unreadable_batch_is_counted_and_what_followed_it_is_fetched_again"
            ),
        ),
    ),
    Mutation(
        name="another-topic-read-on",
        safety="another topic of the same name is read from its beginning",
        file=f"{_MESSAGING}/topic_watch.py",
        old="        return is_another\n",
        new="        return False\n",
        tests=(
            (
                "tests/integration/messaging/test_another_topic.py"
                "::test_another_topic_of_the_name_is_noticed_whatever_its_offsets"
            ),
        ),
    ),
    Mutation(
        name="added-partitions-used",
        safety="commands are spread over the declared partitions alone",
        file=f"{_MESSAGING}/log/generations.py",
        old="        return partition_of(key, self.partitions)\n",
        new="        return partition_of(key, self.partitions + 1)\n",
        tests=(f"{_UNIT}/test_log_route.py::test_commands_are_spread_over_the_declared_partitions_alone",),
    ),
)
