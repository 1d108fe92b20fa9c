"""Rows of a file as shipments in the flat form of POST /shipments, and the keys of their creation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from waybill.importing.columns import Reading
from waybill.importing.errors import InvalidRow
from waybill.importing.events import Json, time_of
from waybill.importing.numbers import number_of

NO_REFERENCE: Final = "is empty: by it a repeated import recognises the row"

_TEXTS: Final = frozenset(
    {"reference", "client_id", "origin_address", "destination_address", "content_description"}
)
_WINDOW: Final = "estimated_delivery_"


def shipment_of(row: Sequence[str], reading: Reading) -> Json:
    """Return a row as a shipment; what is left to say about it the API says.

    Raises:
        InvalidRow: it has no reference, or a time or a number cannot be read.
    """
    shipment: Json = {}
    window: Json = {}
    for name in (*reading.columns, *reading.constants):
        text = reading.cell(row, name)
        if not text:
            continue
        if name in _TEXTS:
            shipment[name] = text
        elif name.startswith(_WINDOW):
            window[name.removeprefix(_WINDOW)] = time_of(name, text, reading)
        else:
            shipment[name] = number_of(name, text)
    if window:
        shipment["estimated_delivery"] = window
    if "reference" not in shipment:
        raise InvalidRow("reference", NO_REFERENCE)
    return shipment


def keys_of(shipments: Iterable[Json]) -> list[str]:
    """Return the Idempotency-Key of each shipment of a file.

    It is made of the client, the reference, and how many rows before it have both: the parcels of one order
    are shipments of their own, and a repeated import finds each again. The same reference with other content
    is a conflict that the API reports, never a second shipment.
    """
    seen = Counter[tuple[str, str]]()
    keys = []
    for shipment in shipments:
        named = (shipment.get("client_id", ""), shipment["reference"])
        text = "\n".join((*named, str(seen[named])))
        keys.append(f"import-{sha256(text.encode()).hexdigest()[:40]}")
        seen[named] += 1
    return keys
