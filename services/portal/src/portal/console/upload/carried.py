"""A file between two requests: the page itself carries it, so that any replica serves the next part."""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Final

from portal.console.upload.limits import UPLOAD_LIMITS
from portal.console.upload.results import RESULTS
from waybill.importing.tables import Table

LARGEST_UNPACKED_BYTES: Final = 16_000_000


class NotCarried(Exception):
    """A text that no page of ours has carried."""


def pack(table: Table) -> str:
    """Return a table as text for a hidden field."""
    rows = json.dumps([table.header, *table.rows], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(zlib.compress(rows.encode(), level=6)).decode()


def unpack(text: str) -> Table:
    """Return the table that `pack` has made a text of.

    Raises:
        NotCarried: it has not, or the table is larger than any file that is read.
    """
    try:
        unpacker = zlib.decompressobj()
        rows = unpacker.decompress(urlsafe_b64decode(text), LARGEST_UNPACKED_BYTES)
        if not unpacker.eof:
            raise NotCarried
        header, *others = json.loads(rows)
        table = Table(tuple(map(str, header)), tuple(tuple(map(str, row)) for row in others))
    except (Error, zlib.error, ValueError, TypeError, RecursionError) as error:
        raise NotCarried from error
    width = len(table.header)
    if (
        len(table.rows) > UPLOAD_LIMITS.rows
        or width > UPLOAD_LIMITS.columns + len(RESULTS)
        or any(len(row) != width for row in table.rows)
    ):
        raise NotCarried
    return table
