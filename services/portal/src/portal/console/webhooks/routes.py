"""The routes of the pages about webhooks."""

from typing import Final

from httpkit.routes import Route
from portal.console.webhooks import acts, deliveries, editing, endpoints, one, replays

_LIST: Final = "/console/webhooks"
_ONE: Final = "/console/webhooks/{endpoint_id:wh_[^/]+}"
_DELIVERY: Final = f"{_ONE}/deliveries/{{delivery_id}}"

WEBHOOK_ROUTES: Final = (
    Route("GET", _LIST, endpoints.show_endpoints, None, is_json=False),
    Route("GET", f"{_LIST}/new", editing.show_new_endpoint, None, is_json=False),
    Route("POST", f"{_LIST}/new", editing.create_endpoint, None, is_json=False),
    Route("GET", _ONE, one.show_endpoint, None, is_json=False),
    Route("POST", _ONE, acts.act_on_endpoint, None, is_json=False),
    Route("GET", f"{_ONE}/edit", editing.show_endpoint_form, None, is_json=False),
    Route("POST", f"{_ONE}/edit", editing.change_endpoint, None, is_json=False),
    Route("GET", _DELIVERY, deliveries.show_delivery, None, is_json=False),
    Route("POST", _DELIVERY, deliveries.retry_delivery, None, is_json=False),
    Route("GET", f"{_ONE}/replays/{{replay_id}}", replays.show_replay, None, is_json=False),
)
