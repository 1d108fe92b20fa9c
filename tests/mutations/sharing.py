"""Safeguards of the shared cycle: the trouble of one partition stops and doubles nothing of the others."""

from typing import Final

from tests.mutations.mutation import Mutation

_USE_CASES: Final = "services/processor/src/processor/use_cases"
_CYCLE: Final = f"{_USE_CASES}/shared_cycle.py"
_FENCE: Final = f"{_USE_CASES}/partition_fence.py"
_SHARED: Final = "tests/unit/processor/test_shared_cycle.py"
_FENCES: Final = "tests/unit/processor/test_partition_fence.py"

SHARING: Final = (
    Mutation(
        name="published-before-its-cycle-is-written",
        safety="a member of a cycle publishes what is written, not what is about to be",
        file=_CYCLE,
        old="            hints = await member.written\n            await applier.publish(batch)\n",
        new="            await applier.publish(batch)\n            hints = await member.written\n",
        tests=(f"{_SHARED}::test_one_that_cannot_be_written_fails_alone",),
    ),
    Mutation(
        name="failure-in-a-cycle-swallowed",
        safety="a member of a cycle that is not written is not taken for applied",
        file=_CYCLE,
        old="        member.written.set_exception(copy_of(error))",
        new="        member.written.set_result(asyncio.create_task(asyncio.sleep(0)))",
        tests=(
            f"{_SHARED}::test_one_that_cannot_be_written_fails_alone",
            f"{_SHARED}::test_an_error_of_no_single_batch_reaches_all_and_nothing_is_tried_or_published",
        ),
    ),
    Mutation(
        name="cycle-not-tried-alone",
        safety="what one member of a cycle is the reason of stops no other",
        file=_CYCLE,
        old="            if len(members) > 1 and _may_be_of_one(error):\n",
        new="            if False:\n",
        tests=(f"{_SHARED}::test_one_that_cannot_be_written_fails_alone",),
    ),
    Mutation(
        name="unknown-outcome-tried-alone",
        safety="a transaction of several whose outcome is unknown is not repeated before the fences are read",
        file=_CYCLE,
        old="        return isinstance(error, TransactionAborted)\n",
        new="        return True\n",
        tests=(f"{_SHARED}::test_an_error_of_no_single_batch_reaches_all_and_nothing_is_tried_or_published",),
    ),
    Mutation(
        name="released-member-written",
        safety="a partition that was released before its cycle began is not written by it",
        file=_CYCLE,
        old="    return [member for member in members if not member.written.done()]\n",
        new="    return list(members)\n",
        tests=(f"{_SHARED}::test_what_nobody_waits_for_any_more_is_not_begun",),
    ),
    Mutation(
        name="cycle-that-ended-waited-for",
        safety="a cycle that ends settles all its members",
        file=_CYCLE,
        old='            _fail([*members, *self._waiting], CommitUnknown("the cycle has ended"))\n',
        new="",
        tests=(f"{_SHARED}::test_a_cycle_that_ends_leaves_nobody_waiting",),
    ),
    Mutation(
        name="fences-not-doubted",
        safety="after a transaction of several with an unknown outcome each fence is read again",
        file=_FENCE,
        old="        for fence in fences:\n            fence.doubt()\n",
        new="",
        tests=(f"{_FENCES}::test_a_failed_transaction_of_several_leaves_each_fence_in_doubt",),
    ),
)
