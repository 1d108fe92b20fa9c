"""Safeguards of a log that goes on in another topic while events flow."""

from typing import Final

from tests.mutations.mutation import Mutation

_LOG: Final = "libs/messaging/src/messaging/log"
_PRODUCER: Final = "libs/messaging/src/messaging/producer"
_USE_CASES: Final = "services/processor/src/processor/use_cases"
_UNDER_LOAD: Final = (
    "tests/integration/processor/test_growing.py::test_events_are_applied_in_order_while_the_log_grows_twice"
)

GROWING: Final = (
    Mutation(
        name="growth-not-awaited",
        safety="a partition waits for the end of those whose shipments it goes on with",
        file=f"{_USE_CASES}/log_order.py",
        old="        if self._awaited:\n            raise NotItsTurn(",
        new="        if not self:\n            raise NotItsTurn(",
        tests=(
            (
                "tests/unit/processor/test_log_order.py"
                "::test_it_is_its_turn_when_each_predecessor_has_ended_and_then_for_good"
            ),
        ),
    ),
    Mutation(
        name="wrong-predecessors",
        safety="every partition that a shipment may have been in is waited for",
        file=f"{_LOG}/generations.py",
        old="        divisor = math.gcd(self.partitions, later.partitions)\n",
        new="        divisor = self.partitions\n",
        tests=(
            (
                "tests/unit/messaging/test_generations.py"
                "::test_the_partition_that_a_key_was_in_is_among_the_predecessors"
            ),
        ),
    ),
    Mutation(
        name="refused-not-repeated",
        safety="what a closed topic has refused is appended to the next one",
        file=f"{_PRODUCER}/log_appender.py",
        old="if place in closed.places for each in lots[place]]",
        new="if place not in lots for each in lots[place]]",
        tests=(_UNDER_LOAD,),
    ),
    Mutation(
        name="too-large-taken-for-closed",
        safety="a record that is refused for its size alone closes nothing",
        file=f"{_PRODUCER}/log_route.py",
        old="            await self._require_closed(topic, client)\n",
        new="",
        tests=(
            (
                "tests/integration/messaging/test_producer.py"
                "::test_a_record_that_is_too_large_closes_no_partition"
            ),
        ),
    ),
    Mutation(
        name="applied-after-the-end",
        safety="a record after the end of its topic is not applied",
        file=f"{_USE_CASES}/record_reader.py",
        old="        if self.end is not None and record.offset > max(self.end, applied_below - 1):\n",
        new="        if self.end is not None and record.offset < 0:\n",
        tests=(
            (
                "tests/unit/processor/test_record_reader.py"
                "::test_control_records_are_no_commands_and_what_follows_the_end_is_poison"
            ),
        ),
    ),
    Mutation(
        name="positions-not-in-order",
        safety="positions of later topics are above those of all before",
        file=f"{_LOG}/generations.py",
        old="        return 0 if self.is_first else self.partitions << _OFFSET_BITS\n",
        new="        return 0 if self else self.partitions << _OFFSET_BITS\n",
        tests=(
            (
                "tests/unit/messaging/test_generations.py"
                "::test_positions_grow_from_generation_to_generation_and_tell_which_it_is"
            ),
        ),
    ),
)
