"""Bounds of an upload: a page carries the file from one request to the next."""

from typing import Final

from waybill.importing.limits import Limits

UPLOAD_LIMITS: Final = Limits(
    file_bytes=1_500_000,
    unpacked_bytes=30_000_000,
    rows=10_000,
    columns=60,
    cells=600_060,
    cell_characters=4_000,
)
