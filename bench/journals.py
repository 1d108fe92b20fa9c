"""Journals of processes under measurement, and the figures derived from them: rates, balance, pauses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A partition was `opened`, or a batch of its events `applied`; one clock for all processes."""

    at_s: float
    what: str
    partition: int
    events: int


Journals = Mapping[str, Sequence[Entry]]
"""The entries of each process, oldest first."""


def read(path: Path) -> list[Entry]:
    """Read a journal up to its last complete line: its writer may still run, or be dead."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    rows = (line.split() for line in lines)
    return [Entry(float(at), what, int(partition), int(events)) for at, what, partition, events in rows]


def applied(journals: Journals) -> list[Entry]:
    """Return the batches of all processes, oldest first."""
    entries = [entry for each in journals.values() for entry in each if entry.what == "applied"]
    return sorted(entries, key=lambda entry: entry.at_s)


def total(journals: Journals) -> int:
    """Return how many events were applied."""
    return sum(entry.events for entry in applied(journals))


def all_at_work_s(journals: Journals) -> float:
    """Return the time since when every process has applied something: all started, group settled."""
    return max(applied({name: each})[0].at_s for name, each in journals.items())


def since(journals: Journals, at_s: float) -> Journals:
    """Return the entries after a moment."""
    return {name: [entry for entry in each if entry.at_s > at_s] for name, each in journals.items()}


def rate(journals: Journals, *, from_s: float) -> float:
    """Return events a second from a moment to the last batch."""
    entries = applied(since(journals, from_s))
    return sum(entry.events for entry in entries) / (entries[-1].at_s - from_s)


def most_over_mean(journals: Journals) -> float:
    """Return how far the busiest process exceeds the mean; 0.1 is a tenth."""
    done = [sum(entry.events for entry in applied({name: each})) for name, each in journals.items()]
    return max(done) * len(done) / sum(done) - 1


def opened_after_s(entries: Sequence[Entry], started_s: float) -> float:
    """Return how long a process took from its start to its first partition."""
    return next(entry.at_s for entry in entries if entry.what == "opened") - started_s


def partitions_of(entries: Sequence[Entry], *, at_s: float) -> set[int]:
    """Return the partitions that a process applied last before a moment, counted from its last assignment."""
    owned: set[int] = set()
    was_opening = False
    for entry in entries:
        if entry.at_s > at_s:
            break
        is_opening = entry.what == "opened"
        if is_opening and not was_opening:
            owned = set()
        was_opening = is_opening
        if is_opening:
            owned.add(entry.partition)
    return owned


def pauses_s(entries: Sequence[Entry], *, from_s: float, until_s: float) -> Iterator[float]:
    """Yield the gaps between consecutive batches that overlap the span."""
    for one, following in pairwise(entry.at_s for entry in entries if entry.what == "applied"):
        if following > from_s and one < until_s:
            yield following - one


def moved_after_s(journals: Journals, partitions: set[int], *, since_s: float) -> float | None:
    """Return when the last of some partitions was processed again; None: not all have been."""
    first: dict[int, float] = {}
    for entry in applied(journals):
        if entry.at_s > since_s and entry.partition in partitions:
            first.setdefault(entry.partition, entry.at_s)
    return max(first.values()) - since_s if first.keys() == partitions else None
