"""The routes of the upload."""

from typing import Final

from httpkit.routes import Route
from portal.console.upload import pages

_START: Final = "/console/upload"

UPLOAD_ROUTES: Final = (
    Route("GET", _START, pages.show_upload, None, is_json=False),
    Route("POST", _START, pages.preview_upload, None, is_json=False),
    Route("POST", f"{_START}/part", pages.send_part, None, is_json=False),
    Route("POST", f"{_START}/result", pages.fetch_result, None, is_json=False),
)
