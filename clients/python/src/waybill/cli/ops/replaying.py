"""Replay of dead letters, oldest first, with a summary of what was done however it ends."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from waybill.cli.context import CliContext
from waybill.cli.errors import Interrupted, Unavailable, Unfinished, failure_of, is_temporary
from waybill.errors import WaybillError
from waybill.models import DeadLetter, Replayed

BATCH: Final = 100

_MOST_NAMED: Final = 5
_CONTINUE: Final = "run the same command again to continue"


@dataclass(slots=True)
class Tally:
    """Results of a replay, by dead letter id.

    Attributes:
        queued: in the log again.
        unsure: sent, and may be in the log again.
        not_found: not in their topic any more.
        untouched: not sent.
    """

    queued: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the results as text."""
        parts = [f"{len(self.queued)} are in the log again"]
        if self.unsure:
            parts.append(f"{len(self.unsure)} may be ({_named(self.unsure)})")
        if self.untouched:
            parts.append(f"{len(self.untouched)} were not sent")
        if self.not_found:
            parts.append(f"{len(self.not_found)} are not in their topic any more ({_named(self.not_found)})")
        return ", ".join(parts)


def oldest_first(dead_letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Return dead letters by age; those of one partition, and so of one shipment, in log order."""
    by_partition: defaultdict[tuple[str, int], list[DeadLetter]] = defaultdict(list)
    for dead_letter in sorted(dead_letters, key=lambda each: each.offset):
        by_partition[dead_letter.topic, dead_letter.partition].append(dead_letter)
    return list(heapq.merge(*by_partition.values(), key=lambda each: each.timestamp))


def send_again(context: CliContext, dead_letters: Sequence[DeadLetter]) -> None:
    """Replay dead letters, and print the results.

    Raises:
        Unfinished: some are not in the log again.
        Unavailable: Waybill stopped responding in the middle.
        Interrupted: by Ctrl-C.
    """
    ids = [dead_letter.id for dead_letter in dead_letters]
    tally = Tally(untouched=ids)
    try:
        _send(context, ids, tally)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped: {tally.summary()}; {_CONTINUE}") from None
    except WaybillError as error:
        said = f"{failure_of(error)}; {tally.summary()}"
        raise (Unavailable(f"{said}; {_CONTINUE}") if is_temporary(error) else Unfinished(said)) from error
    finally:
        if context.as_json:
            context.show(asdict(tally))
    if tally.unsure or tally.not_found:
        raise Unfinished(tally.summary())
    context.say(tally.summary())


def _send(context: CliContext, ids: Sequence[str], tally: Tally) -> None:
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    hidden = not context.watching.is_terminal
    with Progress(*columns, console=context.watching, disable=hidden) as progress:
        shown = progress.add_task("", total=len(ids))
        for start in range(0, len(ids), BATCH):
            tally.untouched, tally.unsure = list(ids[start + BATCH :]), list(ids[start : start + BATCH])
            items = context.client.dead_letters.replay_all(tally.unsure).items
            _count(items, tally)
            progress.advance(shown, len(items))
            if tally.unsure:  # later events of the same shipments must not pass them
                return


def _count(items: Sequence[Replayed], tally: Tally) -> None:
    by_status = {"queued": tally.queued, "not_found": tally.not_found}
    tally.unsure.clear()
    for item in items:
        by_status.get(item.status, tally.unsure).append(item.id)


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_NAMED]) + (", …" if len(ids) > _MOST_NAMED else "")
