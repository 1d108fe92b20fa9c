"""The end of the demo: a table, and a line with the verdict."""

from collections.abc import Iterator, Sequence
from math import ceil

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.run.driver import Report, Run
from devstack.console.printable import printable

_MOST_LINES = 20
_MILLISECONDS = 1000


def show(report: Report, console: Console) -> None:
    """Print the table and the verdict."""
    table = Table(title=f"Waybill demo: {report.run}", box=SIMPLE, title_justify="left")
    table.add_column()
    table.add_column("this run", justify="right")
    table.add_column("known answer", justify="right")
    for rows in (_shipments, _scans, _books, _webhooks, _speed):
        for label, found, known in rows(report):
            wrong = report.differences and known and known != found
            table.add_row(printable(label), Text(found, style="bold red" if wrong else ""), known)
        table.add_section()
    console.print(table)
    for line in verdict(report):
        console.print(printable(line), soft_wrap=True)


def verdict(report: Report) -> Iterator[str]:
    """Yield the lines that compare the run with the expected result."""
    sent_again = sum(report.traffic.resent.values())
    if sent_again:
        twice = report.deliveries.total - report.known.total
        yield f"{sent_again:,} deliveries went unanswered and were sent again; {twice:,} of them count twice"
    if report.differences:
        yield f"{len(report.differences):,} differences from the data set's known answer:"
        yield from (f"  {line}" for line in report.differences[:_MOST_LINES])
        if len(report.differences) > _MOST_LINES:
            yield f"  ... and {len(report.differences) - _MOST_LINES:,} more"
        return
    if report.run is Run.LATER:
        yield "nothing changed: every scan was a duplicate, a conflict or judged and rejected again"
    but = "but for what counts twice, " if sent_again else ""
    yield f"{but}totals equal the data set's known answer"


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """Return the smallest of the measured values that `share` of them do not exceed, in milliseconds."""
    return sorted(seconds)[max(0, ceil(share * len(seconds)) - 1)] * _MILLISECONDS


Row = tuple[str, str, str]


def _shipments(report: Report) -> Iterator[Row]:
    yield _row("shipments created", report.bookings - report.already_there)
    yield _row("  there already", report.already_there)
    yield _row("  changed by this run's scans", report.moved)


def _scans(report: Report) -> Iterator[Row]:
    found, known = report.deliveries, report.known
    yield _row("events sent and accepted", report.traffic.accepted, known.total)
    yield _row("  applied", found.applied, known.applied)
    for reason in {**known.rejected, **found.rejected}:
        yield _row(f"  rejected {reason}", found.rejected.get(reason, 0), known.rejected.get(reason, 0))
    yield _row("  duplicates", found.duplicates, known.duplicates)
    yield _row("  conflicts", found.conflicts, known.conflicts)
    if found.other:
        yield _row("  other (dead letters?)", found.other, known.other)


def _books(report: Report) -> Iterator[Row]:
    found, known = report.standing, report.known_standing
    yield _row("distinct events on record", found.events, known.events)
    yield _row("  applied", found.applied, known.applied)
    for reason in {**known.rejected, **found.rejected}:
        yield _row(f"  rejected {reason}", found.rejected.get(reason, 0), known.rejected.get(reason, 0))
    yield _row("shipments", sum(found.shipments.values()), sum(known.shipments.values()))
    for status in {**known.shipments, **found.shipments}:
        yield _row(f"  {status}", found.shipments.get(status, 0), known.shipments.get(status, 0))


def _webhooks(report: Report) -> Iterator[Row]:
    received = report.received
    if received is None:
        yield "webhooks", "not sent to this machine", ""
        return
    yield _row("changes told by a webhook, signature verified", received.told, received.changes)
    yield _row("  sent again under the same id", received.repeated)


def _speed(report: Report) -> Iterator[Row]:
    traffic = report.traffic
    yield "events per second, end to end", f"{traffic.accepted / traffic.took_s:,.0f}", ""
    for label, seconds in (
        ("batch accepted after", traffic.accept_s),
        ("outcome visible after", traffic.visible_s),
    ):
        for share in (0.5, 0.99):
            if seconds:
                yield f"{label}, p{share * 100:.0f}", f"{percentile_ms(seconds, share):,.1f} ms", ""


def _row(label: str, found: int, known: int | None = None) -> Row:
    return label, f"{found:,}", "" if known is None else f"{known:,}"
