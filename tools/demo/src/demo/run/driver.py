"""One run of the demo: register, read, send, read again, compare."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from demo.dataset.known_answer import KnownAnswer
from demo.dataset.model import expected_after, scan_id, with_strays
from demo.dataset.records import Booking, DataSet
from demo.errors import Refused
from demo.ledger import JUST_CREATED, Deliveries, Ledger, Standing, deliveries_between, standing
from demo.progress import Advance, Display
from demo.run.api import Api
from demo.run.receiving import Inbox, Received
from demo.run.sending import Sender, Traffic, lanes_of
from demo.run.verification import differences, total_differences
from demo.run.watching import Reader, counted, goals_after
from demo.run.workers import for_each
from domain.processing.batch import Outcome
from domain.shipments.event_identity import EventId, creation_event_id
from domain.shipments.tracking_number import TrackingNumber


class Run(StrEnum):
    """State of the stack before this run."""

    FIRST = "first run"
    LATER = "later run"
    RESUMED = "run after an interrupted one"


@dataclass(frozen=True, slots=True)
class Report:
    """Report of a run.

    Attributes:
        already_there: bookings that the stack had before.
        moved: shipments that the scans of this run changed.
        known: the expected `deliveries`.
        received: messages of webhooks; None if the stack does not send to this machine.
        differences: a line for each difference from the expected state.
    """

    run: Run
    bookings: int
    already_there: int
    moved: int
    traffic: Traffic
    deliveries: Deliveries
    known: Deliveries
    standing: Standing
    known_standing: Standing
    received: Received | None
    differences: list[str]


async def drive(
    api: Api,
    data: DataSet,
    *,
    answer: KnownAnswer,
    display: Display,
    inbox: Inbox | None = None,
    patience_s: float = 120.0,
) -> Report:
    """Send the data set and compare the result with `answer`.

    Args:
        api: the stack's API.
        data: the data set to send.
        answer: the expected totals.
        display: shows the progress.
        inbox: where webhooks of the changes arrive, if they do.
        patience_s: how long to wait, at each stage, for outcomes that are due.

    Raises:
        DemoError: the stack stopped responding, or rejected a valid request.
    """
    with display.stage("registering shipments", len(data.bookings)) as advance:
        registry = _Registry(api, advance, patience_s)
        await for_each(data.bookings, registry.register)
    numbers = with_strays(data, registry.numbers)
    sent = Counter(scan_id(scan, numbers) for scan in data.scans)
    shipments = list(numbers.values())
    reader = Reader(api, shipments, patience_s)
    before = await _ledger_before(registry, reader, sent, display)
    with display.stage("sending scans", len(data.scans)) as advance:
        sender = Sender(api, before, advance, patience_s)
        traffic = await sender.send(lanes_of(data, numbers))
    with display.stage("checking every outcome", len(sent) + len(shipments)) as advance:
        after = await reader.read(goals_after(before, sent), advance)
    changes = registry.created | _applied(after) - _applied(before)
    received = await _receive(inbox, changes, display, patience_s)
    findings = _Findings(before, after, expected_after(data, numbers, before=before), traffic, received)
    return _report(answer, registry, findings)


@dataclass(slots=True)
class _Registry:
    api: Api
    advance: Advance
    patience_s: float
    numbers: dict[str, TrackingNumber] = field(default_factory=dict)
    created: set[EventId] = field(default_factory=set)
    already_there: int = 0
    all_new: bool = True

    async def register(self, booking: Booking) -> None:
        registered = await self.api.register(booking)
        event_id = creation_event_id(registered.tracking_number)
        creation = await counted(self.api, event_id, 1, patience_s=self.patience_s)
        if creation is None or creation.outcome != Outcome.APPLIED:
            raise Refused(f"{booking.key} was accepted, but {event_id} has not been applied")
        self.numbers[booking.key] = registered.tracking_number
        there = creation.deliveries - 1 > registered.unsure
        self.already_there += there
        if not there and not registered.unsure:
            self.created.add(event_id)
        self.all_new &= registered.applied and not there
        self.advance(1)


@dataclass(frozen=True, slots=True)
class _Findings:
    before: Ledger
    after: Ledger
    expected: Ledger
    traffic: Traffic
    received: Received | None

    @property
    def run(self) -> Run:
        if not self.before.events:
            return Run.FIRST
        return Run.LATER if self.before.events.keys() == self.expected.events.keys() else Run.RESUMED


async def _ledger_before(
    registry: _Registry, reader: Reader, sent: Counter[EventId], display: Display
) -> Ledger:
    if registry.all_new:
        return Ledger({}, dict.fromkeys(registry.numbers.values(), JUST_CREATED))
    # Registrations are answered in the order of the log: whatever an earlier run had sent for these
    # shipments, even an interrupted one, has its outcome by now.
    with display.stage("looking what is known", len(sent) + len(reader.shipments)) as advance:
        return await reader.read(dict.fromkeys(sent, 0), advance)


async def _receive(
    inbox: Inbox | None, changes: set[EventId], display: Display, patience_s: float
) -> Received | None:
    if inbox is None:
        return None
    with display.stage("receiving webhooks", len(changes)) as advance:
        return await inbox.expect(changes, advance, patience_s=patience_s)


def _applied(ledger: Ledger) -> set[EventId]:
    return {event_id for event_id, state in ledger.events.items() if state.outcome == Outcome.APPLIED}


def _report(answer: KnownAnswer, registry: _Registry, findings: _Findings) -> Report:
    before, after, traffic = findings.before, findings.after, findings.traffic
    known = {Run.FIRST: answer.first_run, Run.LATER: answer.later_run}.get(
        findings.run, deliveries_between(before, findings.expected)
    )
    found, stands = deliveries_between(before, after), standing(after)
    different = total_differences(answer.standing, stands)
    if not +traffic.resent:  # else the totals have room for what was sent again; each event was checked
        different += total_differences(known, found)
    different += differences(findings.expected, after, resent=traffic.resent)
    if findings.received is not None:
        different += findings.received.differences
    return Report(
        run=findings.run,
        bookings=len(registry.numbers),
        already_there=registry.already_there,
        moved=sum(before.shipments.get(number) != state for number, state in after.shipments.items()),
        traffic=traffic,
        deliveries=found,
        known=known,
        standing=stands,
        known_standing=answer.standing,
        received=findings.received,
        differences=different,
    )
