"""Dead letters of a partition: written to their topic, the index and the audit log."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog

from domain.processing.batch import ConsumedCommand
from domain.processing.dead_letter import DeadLetterEntry, Header, RecordPosition, dead_letter_id
from domain.processing.halts import QUARANTINED
from messaging.dead_letters.records import DeadLetter, Record, instant_of, replay_in, replays_in
from processor.use_cases.partition_fence import PartitionFence
from processor.use_cases.ports import Ports
from processor.use_cases.record_reader import RecordReader

_PREVIEW_BYTES: Final = 500
_LONGEST_ERROR: Final = 2000
_LONGEST_KEY: Final = 200
_MOST_HEADERS: Final = 20
_LONGEST_HEADER: Final = 200

_log = structlog.get_logger(__name__)


class DeadLetterWriter:
    """Writes dead letters, and notes the replays of earlier ones."""

    def __init__(self, ports: Ports, fence: PartitionFence, reader: RecordReader) -> None:
        self._ports = ports
        self._fence = fence
        self._reader = reader
        self._published: dict[tuple[int, str], RecordPosition] = {}

    def forget(self) -> None:
        """Forget dead letters whose writing was not finished: another owner may have finished it."""
        self._published.clear()

    async def write(self, dead_letter: DeadLetter, *, next_offset: int) -> None:
        """Write a dead letter to its topic, its index and, if the record can be read, the audit log.

        Called again after it raised, it does not repeat the publication.

        Args:
            dead_letter: the record, and the reason why it cannot be applied.
            next_offset: position that the fence moves to in the same transaction.
        """
        await self.note_replays([dead_letter.record])
        # Read first: if reading crashes the process, no dead letter has been written yet.
        consumed = None if dead_letter.unread else self._reader.read_or_none(dead_letter.record)
        record_key = (dead_letter.record.offset, dead_letter.reason)
        # Once over all retries: MongoDB may be away for long.
        if record_key not in self._published:
            self._published[record_key] = await self._ports.dead_letters.publish(dead_letter)
        now = self._ports.clock.now()
        position = self._published[record_key]
        await self._ports.index.record(entry_of(dead_letter, position, consumed, recorded_at=now))
        if consumed is not None or next_offset > self._fence.next_offset:
            await self._record_outcome(dead_letter, consumed, next_offset, now)
        del self._published[record_key]
        self._ports.metrics.count_dead_letter(dead_letter.reason)

    async def note_replays(self, records: Iterable[Record]) -> None:
        """Note the records that are replays of dead letters in the index."""
        for replay in replays_in(records):
            await self._ports.index.note_replay(replay)

    async def _record_outcome(
        self, dead_letter: DeadLetter, consumed: ConsumedCommand | None, next_offset: int, now: datetime
    ) -> None:
        reason = QUARANTINED if dead_letter.reason == QUARANTINED else dead_letter.error
        if consumed is not None:
            event_id = consumed.command.event_id
            _log.warning("event_dead_lettered", partition=self._fence.name, event_id=event_id)
        await self._fence.advance(
            self._ports.store.dead_letter(
                self._fence.held, consumed, next_offset=next_offset, reason=reason, recorded_at=now
            )
        )


def entry_of(
    dead_letter: DeadLetter,
    position: RecordPosition,
    consumed: ConsumedCommand | None,
    *,
    recorded_at: datetime,
) -> DeadLetterEntry:
    """Return the index entry of a dead letter.

    Args:
        dead_letter: the record, and the reason why it cannot be applied.
        position: of the dead letter in the dead-letter topic.
        consumed: the command in the record, None if it cannot be read.
        recorded_at: now.
    """
    record = dead_letter.record
    replay = replay_in(record)
    return DeadLetterEntry(
        id=dead_letter_id(position),
        reason=dead_letter.reason,
        error=dead_letter.error[:_LONGEST_ERROR],
        attempts=dead_letter.attempts,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=instant_of(record),
        key=None if record.key is None else _text(record.key[:_LONGEST_KEY]),
        event_id=None if consumed is None else consumed.command.event_id,
        tracking_number=None if consumed is None else consumed.command.tracking_number,
        recorded_at=recorded_at,
        value_preview=_text((record.value or b"")[:_PREVIEW_BYTES]),
        value_hex=(record.value or b"")[:_PREVIEW_BYTES].hex(),
        headers=[_shown(name, value) for name, value in record.headers[:_MOST_HEADERS]],
        replay_of=None if replay is None else replay.dead_letter_id,
    )


def _shown(name: str, value: bytes | None) -> Header:
    return Header(name[:_LONGEST_HEADER], None if value is None else _text(value[:_LONGEST_HEADER]))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
