"""The sender's view of an event whose recorded payload is not the sender's."""

from typing import Any

from domain.ports.core import Document
from domain.processing.batch import Outcome
from domain.shipments.rejection import RejectionReason

_OF_THE_EVENT = (
    "event_id",
    "tracking_number",
    "timestamp",
    "source",
    "attempts",
    "duplicates",
    "conflicts",
    "partition",
    "recorded_at",
)


def as_sent_by(sender: str, event: Document) -> Document | None:
    """Return an event with the last payload that `sender` sent with its id, in place of the recorded one.

    Every accepted payload can be looked up by its sender, even if another payload is recorded. That one, and
    the owner of the shipment, are not returned: an id can be guessed.

    Returns:
        An event in the shape of the API, with the sender's earlier payloads as `other_payloads`; the counts
        and `recorded_at` are those of the recorded event. None if none of the payloads is the sender's.
    """
    sent: list[Document] = [
        payload for payload in event.get("other_payloads", ()) if payload["submitted_by"] == sender
    ]
    if not sent:
        return None
    *earlier, last = sent
    seen: dict[str, Any] = {name: event[name] for name in _OF_THE_EVENT}
    seen |= last
    seen["client_id"] = None
    seen["outcome"] = (
        Outcome.REJECTED if last["reason"] in RejectionReason.__members__ else Outcome.DEAD
    ).value
    if earlier:
        seen["other_payloads"] = earlier
    return seen
