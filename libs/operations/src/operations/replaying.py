"""Dead letters sent again, oldest first; whatever ends it, it says what was done and what was not."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operations.desk import CliContext
from operations.errors import Interrupted, NotAnswering, Refused, Unfinished
from operations.waybill import Json

BATCH: Final = 100

_MOST_NAMED: Final = 5
_GO_ON: Final = "the same command goes on from there"


@dataclass(slots=True)
class Tally:
    """What became of the dead letters that were to be sent again, by id.

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

    def told(self) -> str:
        """Return it for people."""
        parts = [f"{len(self.queued)} are in the log again"]
        if self.unsure:
            parts.append(f"{len(self.unsure)} may be ({_named(self.unsure)})")
        if self.untouched:
            parts.append(f"{len(self.untouched)} were not sent")
        if self.not_found:
            parts.append(f"{len(self.not_found)} are not in their topic any more ({_named(self.not_found)})")
        return ", ".join(parts)


def oldest_first(letters: Iterable[Json]) -> list[Json]:
    """Return dead letters by age; those of one partition, so of one shipment too, as they stood in it."""
    by_partition: defaultdict[tuple[str, int], list[Json]] = defaultdict(list)
    for letter in sorted(letters, key=lambda each: int(each["offset"])):
        by_partition[letter["topic"], letter["partition"]].append(letter)
    return list(heapq.merge(*by_partition.values(), key=lambda each: str(each["timestamp"])))


def send_again(desk: CliContext, letters: Sequence[Json]) -> None:
    """Send dead letters again, and show what became of them.

    Raises:
        Unfinished: some are not in the log again.
        NotAnswering: Waybill stopped answering on the way.
        Interrupted: by Ctrl-C.
    """
    ids = [str(letter["id"]) for letter in letters]
    tally = Tally(untouched=ids)
    try:
        _send(desk, ids, tally)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped: {tally.told()}; {_GO_ON}") from None
    except NotAnswering as failed:
        raise NotAnswering(f"{failed}; {tally.told()}; {_GO_ON}") from failed
    except Refused as refused:
        raise Unfinished(f"{refused}; {tally.told()}") from refused
    finally:
        if desk.as_json:
            desk.show(asdict(tally))
    if tally.unsure or tally.not_found:
        raise Unfinished(tally.told())
    desk.say(tally.told())


def _send(desk: CliContext, ids: Sequence[str], tally: Tally) -> None:
    columns = TextColumn("sending again"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    hidden = not desk.watching.is_terminal
    with Progress(*columns, console=desk.watching, disable=hidden) as progress:
        shown = progress.add_task("", total=len(ids))
        for start in range(0, len(ids), BATCH):
            tally.untouched, tally.unsure = list(ids[start + BATCH :]), list(ids[start : start + BATCH])
            answer = desk.waybill.post("/dead-letters/replay", {"ids": tally.unsure})
            _count(answer["items"], tally)
            progress.advance(shown, len(answer["items"]))
            if tally.unsure:  # later events of the same shipments must not pass them
                return


def _count(items: Sequence[Json], tally: Tally) -> None:
    by_status = {"queued": tally.queued, "not_found": tally.not_found, "error": tally.unsure}
    tally.unsure.clear()
    for item in items:
        by_status[item["status"]].append(item["id"])


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_NAMED]) + (", …" if len(ids) > _MOST_NAMED else "")
