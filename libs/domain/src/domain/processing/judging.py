"""Judgement of one batch of a partition: exactly once, in the order of the offsets (ADR 0002).

`judge` decides the commands of one shipment. It is pure: everything it knows is passed in. Where it needs to
know more (has this rejected event been seen before? what did the first one with this id say?), it names the
event ids to look up in `Verdicts.unknown`; look them up and judge again: the second verdicts are final.

The four kinds of a consumed command, in the order of the checks:

1. *replayed*: the record itself has been counted before (its offset is not above the highest one counted for
   this event, and below the partition's next one). Nothing is decided or counted; later steps are repeated.
2. *duplicate*: the same event, in another record. Counted on the event.
3. *conflict*: an applied event's id with another payload. Counted and kept on the event; the first counts.
4. *judged*: a new event, or one that was rejected or dead and is sent again, with any payload: where nothing
   was applied, `decide` judges it.

A fifth kind, *released*, is the verdict on a held event that an applied one made legal
(`domain.processing.holding`).
"""

from collections.abc import Iterator, Sequence

from domain.errors import PoisonRecord
from domain.processing.batch import (
    ConsumedCommand,
    Correction,
    EventRecord,
    Kind,
    Known,
    Verdict,
    Verdicts,
)
from domain.processing.holding import hold_if_early, is_held_again, release_legal, repeat_releases
from domain.processing.recording import count, note_shipment, record_of, record_verdict, retract
from domain.shipments.commands import Command, RetractEvent
from domain.shipments.event_identity import EventId
from domain.shipments.retraction import HistoryEntry, Retractable, decide_retraction
from domain.shipments.shipment import (
    Amended,
    Corrected,
    Decision,
    Event,
    Rejected,
    Repeated,
    Shipment,
    StatusChanged,
    decide,
    evolve,
)


def judge(
    commands: Sequence[ConsumedCommand],
    shipment: Shipment | None,
    known: Known,
    history: Sequence[HistoryEntry] | None = None,
) -> Verdicts:
    """Judge the consumed commands of one shipment, given in the order of their offsets.

    Args:
        commands: of the shipment.
        shipment: before them, None if there is none.
        known: looked-up events.
        history: the shipment's, needed only where a command is a retraction.
    """
    verdicts = Verdicts(history=None if history is None else list(history))
    current = shipment
    for consumed in commands:
        current = _judge_one(verdicts, consumed, current, known)
    if verdicts.unknown:
        # One look-up may change the verdicts on the others: look all up now, and once only.
        verdicts.unknown = list({each for consumed in commands for each in _asked(consumed)} - known.keys())
    return verdicts


def _judge_one(
    verdicts: Verdicts, consumed: ConsumedCommand, current: Shipment | None, known: Known
) -> Shipment | None:
    event_id = consumed.command.event_id
    change = verdicts.events.get(event_id)
    record = record_of(verdicts, event_id, known)
    kind = _recognise(consumed, record)
    if kind is Kind.REPLAYED:
        verdicts.verdicts.append(Verdict(consumed, kind, record))
        repeat_releases(verdicts, consumed, record)
        return current
    if kind is not Kind.JUDGED:
        count(verdicts, consumed, kind, record)
        return current
    decision = _decide(verdicts, consumed.command, current, known)
    if change is not None and record is None and event_id not in known:
        # The duplicate filter alone knows it as applied: taken for a new one, it would be applied again.
        verdicts.unknown.append(event_id)
        return current
    if not isinstance(decision, Rejected | Repeated):
        return _apply(verdicts, consumed, current, decision, known)
    if record is None and event_id not in known:
        verdicts.unknown.append(event_id)
    elif isinstance(decision, Rejected):
        return _reject(verdicts, consumed, current, decision, known)
    else:
        raise PoisonRecord(f"{event_id} is in the history of its shipment, but has no record")
    return current


def _asked(consumed: ConsumedCommand) -> Iterator[EventId]:
    """Yield the events that the judgement of a command may need to know."""
    yield consumed.command.event_id
    if isinstance(consumed.command, RetractEvent):
        yield consumed.command.retracts


def _decide(verdicts: Verdicts, command: Command, current: Shipment | None, known: Known) -> Decision:
    if not isinstance(command, RetractEvent):
        return decide(current, command)
    record = record_of(verdicts, command.retracts, known)
    if record is None and command.retracts not in known:
        verdicts.unknown.append(command.retracts)
    retracted = None if record is None else Retractable(record.submitted_by, record.received_at)
    return decide_retraction(current, verdicts.history or (), command, retracted)


def _recognise(consumed: ConsumedCommand, record: EventRecord | None) -> Kind:
    if record is None:
        return Kind.DUPLICATE if consumed.known_duplicate else Kind.JUDGED
    if consumed.redelivered and consumed.offset <= record.last_offset:
        return Kind.REPLAYED
    if not record.has_been_applied:
        return Kind.JUDGED
    return Kind.DUPLICATE if record.fingerprint == consumed.fingerprint else Kind.CONFLICT


def _apply(
    verdicts: Verdicts, consumed: ConsumedCommand, current: Shipment | None, event: Event, known: Known
) -> Shipment:
    evolved = evolve(current, event)
    record_verdict(verdicts, consumed, evolved, None, known, current)
    transition = note_shipment(verdicts, current, evolved, consumed)
    if isinstance(event, Corrected):
        of_checkpoint = current is not None and event.retracts not in current.applied
        transition.corrections[event.event_id] = Correction(event.status, of_checkpoint)
    _follow(verdicts, event, evolved, known)
    if evolved.held and isinstance(event, StatusChanged):
        return release_legal(verdicts, consumed, evolved, known)
    return evolved


def _follow(verdicts: Verdicts, event: Event, evolved: Shipment, known: Known) -> None:
    """Let the history follow an applied event, and the record of an event that it retracts."""
    if isinstance(event, Corrected):
        record = record_of(verdicts, event.retracts, known)
        if record is not None:
            retract(verdicts, event.retracts, record)
        if verdicts.history is not None:
            verdicts.history.pop()
    elif verdicts.history is not None and not isinstance(event, Amended):
        verdicts.history.append(HistoryEntry(event.event_id, evolved.status))


def _reject(
    verdicts: Verdicts,
    consumed: ConsumedCommand,
    current: Shipment | None,
    rejected: Rejected,
    known: Known,
) -> Shipment | None:
    if current is not None and current.held and is_held_again(verdicts, consumed, current, known):
        return current
    change = record_verdict(verdicts, consumed, current, rejected.reason, known)
    if current is None or (consumed.hold is None and not current.held):
        return current
    return hold_if_early(verdicts, change, consumed, current, rejected.reason)
