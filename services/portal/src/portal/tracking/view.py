"""The page of one shipment: everything that it shows, as text."""

from dataclasses import dataclass

from domain.shipments.public_view import PublicShipment
from portal.tracking.history import HistoryView, history_of
from portal.tracking.map import MapView, map_of
from portal.tracking.places import place_name
from portal.tracking.reading import Reading
from portal.tracking.state import StateView, state_of


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """The page of one shipment.

    Attributes:
        map: of its positions; None if there are none, or without a link.
    """

    number: str
    version: int
    state: StateView
    history: HistoryView
    map: MapView | None


def shipment_view(shipment: PublicShipment, reading: Reading) -> ShipmentView:
    """Return the page of a shipment, as its reader sees it."""
    places = [None if step.position is None else place_name(step.position) for step in shipment.steps]
    return ShipmentView(
        number=shipment.tracking_number,
        version=shipment.version,
        state=state_of(shipment, reading),
        history=history_of(shipment, places, reading),
        map=map_of(shipment, places, reading.language),
    )
