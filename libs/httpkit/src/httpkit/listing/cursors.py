"""Cursors: the opaque, tamper-proof position at the end of a page.

A cursor is base64url of: the version, a digest, the timestamp and the id of the last entry, and the number of
entries returned so far. The digest covers all of these and the list with its filters, so a cursor that was
changed, truncated, or made for another list is rejected. It is not a signature and protects nothing: access
is decided by the query alone.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from domain.ports.queries import Position

VERSION: Final = 1

_DIGEST_SIZE: Final = 8
_HEAD: Final = struct.Struct(f">B{_DIGEST_SIZE}s")
_BODY: Final = struct.Struct(">qI")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class InvalidCursor(Exception):
    """The text is not a cursor of this list with these filters."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position at which the next page begins.

    Attributes:
        after: the last entry returned.
        shown: the number of entries returned so far.
    """

    after: Position
    shown: int


def write_cursor(cursor: Cursor, listed: str) -> str:
    """Return a cursor as text.

    Args:
        cursor: the position of the next page.
        listed: the list and its filters, in a stable format.
    """
    instant_ms = (cursor.after.instant - _EPOCH) // _MILLISECOND
    body = _BODY.pack(instant_ms, cursor.shown) + cursor.after.id.encode()
    return urlsafe_b64encode(_HEAD.pack(VERSION, _digest(body, listed)) + body).decode().rstrip("=")


def read_cursor(text: str, listed: str) -> Cursor:
    """Parse a cursor of a list.

    Raises:
        InvalidCursor: it is malformed, or of another list.
    """
    try:
        raw = urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}")
        (version, digest), body = _HEAD.unpack_from(raw), raw[_HEAD.size :]
        if version != VERSION or digest != _digest(body, listed):
            raise InvalidCursor("not a cursor of this list with these filters: begin with its first page")
        instant_ms, shown = _BODY.unpack_from(body)
        cursor = Cursor(Position(_EPOCH + instant_ms * _MILLISECOND, body[_BODY.size :].decode()), shown)
    except (ValueError, OverflowError, struct.error) as error:
        raise InvalidCursor("not a cursor") from error
    if write_cursor(cursor, listed) != text:  # base64 decodes more texts than it encodes
        raise InvalidCursor("not a cursor")
    return cursor


def _digest(body: bytes, listed: str) -> bytes:
    return blake2b(
        body, key=blake2b(listed.encode(), digest_size=32).digest(), digest_size=_DIGEST_SIZE
    ).digest()
