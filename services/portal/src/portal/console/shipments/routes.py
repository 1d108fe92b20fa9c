"""The routes of the pages about shipments."""

from typing import Final

from httpkit.routes import Route
from portal.console.shipments import acts, listing, one, sent

_LIST: Final = "/console/shipments"
_ONE: Final = "/console/shipments/{tracking_number}"

SHIPMENT_ROUTES: Final = (
    Route("GET", _LIST, listing.show_shipments, None, is_json=False),
    Route("GET", _ONE, one.show_shipment, None, is_json=False),
    Route("GET", f"{_ONE}/webhooks", sent.show_sent, None, is_json=False),
    Route("POST", _ONE, acts.act_on_shipment, None, is_json=False),
)
