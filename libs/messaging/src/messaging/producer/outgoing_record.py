"""A record on its way to a topic."""

from typing import NamedTuple

from messaging.codec import Headers


class OutgoingRecord(NamedTuple):
    """A record to append to a topic."""

    key: bytes
    value: bytes
    headers: Headers
