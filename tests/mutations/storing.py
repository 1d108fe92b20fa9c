"""Safeguards of the store: one writer, all of a plan or nothing."""

from typing import Final

from tests.mutations.mutation import Mutation

_WRITER: Final = "libs/storage/src/storage/mongo/processing/transaction_writer.py"
_SHIPMENTS: Final = "libs/storage/src/storage/mongo/shipment_documents.py"
_STORE: Final = "libs/storage/src/storage/mongo/processing/shipment_store.py"
_AT_ONCE: Final = "tests/contract/test_commits_at_once.py"
_FENCES: Final = "tests/contract/test_fences.py"
_FAILED: Final = "libs/storage/src/storage/mongo/processing/failed_transactions.py"
_LOST: Final = "tests/integration/storage/test_lost_transaction_ends.py"
_REPEATING: Final = "tests/integration/storage/test_repeated_writes.py"
_PLANS: Final = "tests/contract/test_shipment_store.py"
_RAISE: Final = "        document = await self._raise_epoch(partition, owner)\n"
_ASK: Final = "        end = await end_offset()\n"

STORING: Final = (
    Mutation(
        name="fence-not-asked",
        safety="a transaction holds only while its owner has the partition",
        file=_WRITER,
        old="                await self._hold(held, session)\n",
        new="",
        tests=(f"{_FENCES}::test_the_owner_before_writes_nothing_any_more[mongo]",),
    ),
    Mutation(
        name="one-fence-for-all",
        safety="a transaction of several partitions succeeds only while all of their fences hold",
        file=_WRITER,
        old="        if await self._update(PARTITION_FENCES, updates, session) != len(held):",
        new="        if not await self._update(PARTITION_FENCES, updates, session):",
        tests=(f"{_AT_ONCE}::test_a_lost_fence_of_one_leaves_all_as_they_were[mongo]",),
    ),
    Mutation(
        name="fence-outside",
        safety="the fence moves inside the transaction, with what it stands for",
        file=_WRITER,
        old="        if await self._update(PARTITION_FENCES, updates, session) != len(held):",
        new="""\
        command = {"update": PARTITION_FENCES, "updates": updates}
        if (await self._database.command(command))["n"] != len(held):""",
        tests=(f"{_PLANS}::test_an_event_taken_for_new_that_is_not_stops_the_whole_plan[mongo]",),
    ),
    Mutation(
        name="fence-without-offset",
        safety="a commit that was given up and goes through late is noticed by the next one",
        file=_WRITER,
        old='"epoch": fence.epoch, "next_offset": fence.next_offset},\n',
        new='"epoch": fence.epoch},\n',
        tests=(f"{_FENCES}::test_a_plan_made_before_an_earlier_commit_went_through_is_refused[mongo]",),
    ),
    Mutation(
        name="epoch-not-raised",
        safety="each owner raises the epoch",
        file=_STORE,
        old='{"$add": [{"$ifNull": ["$epoch", 0]}, 1]}',
        new='{"$ifNull": ["$epoch", 1]}',
        tests=(f"{_FENCES}::test_each_owner_raises_the_epoch_and_finds_the_offset_of_the_last[mongo]",),
    ),
    Mutation(
        name="read-before-epoch",
        safety="the epoch is raised before anything is read",
        file=_STORE,
        old=f"{_RAISE}{_ASK}",
        new=f"{_ASK}{_RAISE}",
        tests=(f"{_FENCES}::test_the_log_is_asked_for_its_end_when_nobody_else_can_move_the_fence[mongo]",),
    ),
    Mutation(
        name="wrong-hint-believed",
        safety="an event that the duplicate filter knows and the store does not is not counted, but applied",
        file=_WRITER,
        old="        if found != len(known):",
        new="        if found > len(known):",
        tests=(f"{_PLANS}::test_a_filter_that_knows_more_than_the_store_stops_the_whole_plan[mongo]",),
    ),
    Mutation(
        name="history-pushed",
        safety="history is written by position: writing it twice is writing it once",
        file=_SHIPMENTS,
        old='    update: Document = {"$set": fields} if fields else {}\n',
        new="""\
    entries = [fields.pop(name) for name in sorted(fields) if name.startswith("status_history.")]
    update: Document = {"$set": fields, "$push": {"status_history": {"$each": entries}}}
""",
        tests=(f"{_REPEATING}::test_a_history_that_is_written_twice_is_as_if_written_once",),
    ),
    Mutation(
        name="failed-transaction-left-open",
        safety="a transaction that failed is ended before anything else is written",
        file=_FAILED,
        old="        if not self._sessions:\n",
        new="        if self._sessions is not None:\n",
        tests=(
            f"{_LOST}::test_a_lost_commit_of_several_does_not_stand_in_the_way_of_one_that_comes_again_alone",
            f"{_LOST}::test_a_lost_abort_does_not_stand_in_the_way_of_those_that_go_on_alone",
        ),
    ),
)
