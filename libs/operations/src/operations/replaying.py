"""Replay of dead letters, oldest first, with a summary of what was done however it ends."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operations.cli_context import CliContext
from operations.errors import Interrupted, NotAnswering, Refused, Unfinished
from operations.waybill import Json

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


def oldest_first(dead_letters: Iterable[Json]) -> list[Json]:
    """Return dead letters by age; those of one partition, and so of one shipment, in log order."""
    by_partition: defaultdict[tuple[str, int], list[Json]] = defaultdict(list)
    for dead_letter in sorted(dead_letters, key=lambda each: int(each["offset"])):
        by_partition[dead_letter["topic"], dead_letter["partition"]].append(dead_letter)
    return list(heapq.merge(*by_partition.values(), key=lambda each: str(each["timestamp"])))


def send_again(context: CliContext, dead_letters: Sequence[Json]) -> None:
    """Replay dead letters, and print the results.

    Raises:
        Unfinished: some are not in the log again.
        NotAnswering: Waybill stopped responding in the middle.
        Interrupted: by Ctrl-C.
    """
    ids = [str(dead_letter["id"]) for dead_letter in dead_letters]
    tally = Tally(untouched=ids)
    try:
        _send(context, ids, tally)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped: {tally.summary()}; {_CONTINUE}") from None
    except NotAnswering as failed:
        raise NotAnswering(f"{failed}; {tally.summary()}; {_CONTINUE}") from failed
    except Refused as refused:
        raise Unfinished(f"{refused}; {tally.summary()}") from refused
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
            response = context.waybill.post("/dead-letters/replay", {"ids": tally.unsure})
            _count(response["items"], tally)
            progress.advance(shown, len(response["items"]))
            if tally.unsure:  # later events of the same shipments must not pass them
                return


def _count(items: Sequence[Json], tally: Tally) -> None:
    by_status = {"queued": tally.queued, "not_found": tally.not_found, "error": tally.unsure}
    tally.unsure.clear()
    for item in items:
        by_status[item["status"]].append(item["id"])


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_NAMED]) + (", …" if len(ids) > _MOST_NAMED else "")
