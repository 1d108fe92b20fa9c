"""Safeguards of the outbox: a scan is kept until it has been answered, and sent in its order."""

from typing import Final

from tests.mutations.mutation import Mutation

_OUTBOX: Final = "clients/python/src/waybill/outbox"
_STORE: Final = f"{_OUTBOX}/store.py"
_FLUSHES: Final = "tests/unit/clients/outbox/test_flush.py"
_FILES: Final = "tests/unit/clients/outbox/test_file.py"
_DEATHS: Final = "tests/unit/clients/outbox/test_deaths.py"

KEEPING: Final = (
    Mutation(
        name="scan-dropped-before-its-answer",
        safety="a scan leaves the outbox only when it has been answered",
        file=f"{_OUTBOX}/flushing.py",
        old="            verdicts = self._sender.send(lines)\n",
        new="            self._store.settle([scan.id for scan in scans], [], datetime.now(UTC))\n"
        "            verdicts = self._sender.send(lines)\n",
        tests=(
            f"{_FLUSHES}::test_broken_connection_loses_and_reorders_nothing",
            f"{_DEATHS}::test_flush_killed_at_every_statement_sends_each_scan_once",
        ),
    ),
    Mutation(
        name="any-202-believed",
        safety="an answer that does not judge every scan of a request settles none",
        file=f"{_OUTBOX}/answers.py",
        old="    if len(batch.events) != count or verdicts.keys() != set(range(count)):\n",
        new="    if False:\n",
        tests=(f"{_FLUSHES}::test_any_other_answer_stops_the_flush_and_every_scan_stays",),
    ),
    Mutation(
        name="scans-not-in-their-order",
        safety="scans are sent in the order in which they were added",
        file=_STORE,
        old='                " ORDER BY id LIMIT ?",\n',
        new='                " ORDER BY id DESC LIMIT ?",\n',
        tests=(f"{_FLUSHES}::test_scans_arrive_once_and_in_order",),
    ),
    Mutation(
        name="two-flushes-at-once",
        safety="one flush of an outbox runs at a time",
        file=_STORE,
        old='                    lock.execute("BEGIN EXCLUSIVE")\n',
        new='                    lock.execute("BEGIN")\n',
        tests=(f"{_FLUSHES}::test_second_flush_says_that_one_is_running",),
    ),
    Mutation(
        name="refused-scan-thrown-away",
        safety="a scan that the API refuses is kept, with its problems",
        file=_STORE,
        old='"UPDATE scans SET refused_at = ?, error = ?, problems = ? WHERE id = ?"',
        new='"DELETE FROM scans WHERE ? AND ? NOTNULL AND ? NOTNULL AND id = ?"',
        tests=(f"{_FLUSHES}::test_refused_scan_goes_to_the_tray_and_blocks_nothing",),
    ),
    Mutation(
        name="scan-in-the-cache-of-the-disk",
        safety="a scan is on the disk when add() returns",
        file=_STORE,
        old='        connection.execute("PRAGMA synchronous = FULL")\n',
        new='        connection.execute("PRAGMA synchronous = OFF")\n',
        tests=(f"{_FILES}::test_every_commit_reaches_the_disk",),
    ),
)
