"""Comparison of the stack's ledger with the expected one."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from demo.ledger import Deliveries, EventState, Ledger, ShipmentState, Standing
from domain.shipments.event_identity import EventId
from domain.shipments.tracking_number import TrackingNumber


def differences(expected: Ledger, observed: Ledger, *, resent: Mapping[EventId, int]) -> list[str]:
    """Return a line for each event and shipment that differs from the expected one.

    Args:
        expected: the ledger by the rules.
        observed: the ledger of the stack.
        resent: how many more deliveries of an event may have been counted, because no response came.
    """
    return [
        *_event_differences(expected, observed, resent),
        *_shipment_differences(expected.shipments, observed.shipments),
    ]


def total_differences(known: Deliveries | Standing, found: Deliveries | Standing) -> list[str]:
    """Return a line for each total that differs from the known one."""
    known_totals, found_totals = _flat(asdict(known)), _flat(asdict(found))
    return [
        f"total {name}: {found_totals.get(name, 0):,}, known answer {known_totals.get(name, 0):,}"
        for name in {**known_totals, **found_totals}
        if found_totals.get(name, 0) != known_totals.get(name, 0)
    ]


def _event_differences(expected: Ledger, observed: Ledger, resent: Mapping[EventId, int]) -> Iterator[str]:
    for event_id, must in expected.events.items():
        found = observed.events.get(event_id)
        if found is None:
            yield f"{event_id}: no outcome, must be {_event(must)}"
        elif not _agree(must, found, spare=resent.get(event_id, 0)):
            yield f"{event_id}: {_event(found)}, must be {_event(must)}"
    for event_id in observed.events.keys() - expected.events.keys():
        yield f"{event_id}: nobody sent it"


def _agree(must: EventState, found: EventState, *, spare: int) -> bool:
    if spare == 0:
        return must == found
    same_end = (must.outcome, must.reason) == (found.outcome, found.reason)
    return same_end and must.deliveries <= found.deliveries <= must.deliveries + spare


def _shipment_differences(
    expected: Mapping[TrackingNumber, ShipmentState], observed: Mapping[TrackingNumber, ShipmentState]
) -> Iterator[str]:
    for number in {**expected, **observed}:
        must, found = expected.get(number), observed.get(number)
        if must != found:
            yield f"{number}: {_shipment(found)}, must be {_shipment(must)}"


def _event(state: EventState) -> str:
    end = f"{state.outcome} {state.reason}" if state.reason else state.outcome
    return f"{end} (judged {state.attempts}, duplicates {state.duplicates}, conflicts {state.conflicts})"


def _shipment(state: ShipmentState | None) -> str:
    return f"{state.status} in version {state.version}" if state else "no shipment"


def _flat(totals: Mapping[str, int | Mapping[str, int]]) -> dict[str, int]:
    flat: dict[str, int] = {}
    for name, value in totals.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {part}": count for part, count in value.items()}
        else:
            flat[name] = value
    return flat
