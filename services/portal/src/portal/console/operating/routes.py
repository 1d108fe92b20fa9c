"""The routes of the operators' pages."""

from typing import Final

from httpkit.routes import Route
from portal.console.operating import partitions

OPERATING_ROUTES: Final = (
    Route("GET", "/console/partitions", partitions.show_partitions, None, is_json=False),
)
