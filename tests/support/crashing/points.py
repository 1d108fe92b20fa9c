"""Where a processor can be struck down, and how the real app is wired to be."""

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.batch import Plan, Verdict
from domain.dead_letters import Place
from domain.ports import ChangeFeed, Fence
from messaging.dead_letters import DeadLetter, KafkaDeadLetters
from processor.partition import Ports
from storage.shipments import MongoShipmentStore


class CrashPoint(StrEnum):
    """Between which two steps the process dies."""

    NEVER = "never"
    BEFORE_TRANSACTION = "before_transaction"
    INSIDE_TRANSACTION = "inside_transaction"  # events written, shipments not
    AFTER_COMMIT = "after_commit"  # committed in MongoDB, told to nobody
    AFTER_PUBLISH = "after_publish"  # told to all, offset not committed in Kafka
    AFTER_DEAD_LETTER = "after_dead_letter"  # in the topic, not in the audit log


def with_crash(ports: Ports, point: CrashPoint, on_call: int) -> Ports:
    """Return ports of which the one at `point` kills the process on its n-th call."""
    strike = _Strike(on_call)
    match point:
        case CrashPoint.BEFORE_TRANSACTION | CrashPoint.INSIDE_TRANSACTION:
            _wrap_store(ports.store, point, strike)
            return ports
        case CrashPoint.AFTER_COMMIT:
            return replace(ports, feed=_Feed(ports.feed, before=strike))
        case CrashPoint.AFTER_PUBLISH:
            return replace(ports, feed=_Feed(ports.feed, after=strike))
        case CrashPoint.AFTER_DEAD_LETTER:
            _wrap_dead_letters(ports.dead_letters, strike)
            return ports
        case CrashPoint.NEVER:
            return ports


class _Strike:
    """Kills the process on the n-th call: nothing is flushed, closed or said."""

    def __init__(self, on_call: int) -> None:
        self._left = on_call

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Feed:
    """`ChangeFeed` that strikes around the publishing."""

    def __init__(
        self,
        feed: ChangeFeed,
        *,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self._feed = feed
        self._before = before
        self._after = after

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        if self._before is not None:
            self._before()
        await self._feed.publish(verdicts)
        if self._after is not None:
            self._after()


def _wrap_store(store: Any, point: CrashPoint, strike: _Strike) -> None:  # noqa: ANN401  # its insides are not in the port
    if not isinstance(store, MongoShipmentStore):
        raise TypeError("only the real store has a transaction to die in")
    commit = store.commit
    write_shipments: Callable[..., Awaitable[None]] = store._write_shipments  # noqa: SLF001  # between two writes

    async def dying_before(fence: Fence, plan: Plan, *, recorded_at: datetime) -> Fence:
        strike()
        return await commit(fence, plan, recorded_at=recorded_at)

    async def dying_inside(*args: Any, **named: Any) -> None:  # noqa: ANN401  # as they come
        strike()
        await write_shipments(*args, **named)

    if point is CrashPoint.BEFORE_TRANSACTION:
        store.commit = dying_before  # type: ignore[method-assign]  # a wrapped port
    else:
        store._write_shipments = dying_inside  # type: ignore[method-assign]  # noqa: SLF001  # as above


def _wrap_dead_letters(dead_letters: KafkaDeadLetters, strike: _Strike) -> None:
    publish = dead_letters.publish

    async def dying_after(letter: DeadLetter) -> Place:
        place = await publish(letter)
        strike()
        return place

    dead_letters.publish = dying_after  # type: ignore[method-assign]  # a wrapped port
