"""Bodies compressed with gzip: bounded by what they become, not by what they are."""

import zlib
from typing import Final

MAX_MEMBERS: Final = 100
_GZIP: Final = 16 + zlib.MAX_WBITS


class NotGzip(Exception):
    """The body is not gzip, breaks off, or has a wrong checksum."""


class TooLong(Exception):
    """The body is longer than its bound."""


def decompress(body: bytes, *, bound: int) -> bytes:
    """Return what a gzip body (RFC 1952, up to `MAX_MEMBERS` members) holds.

    Takes the memory of `bound` bytes, however much the body would become.

    Raises:
        NotGzip: see there.
        TooLong: it holds more than `bound` bytes.
    """
    made, rest = b"", body
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        try:
            made += member.decompress(rest, bound + 1 - len(made))
        except zlib.error as error:
            raise NotGzip from error
        if len(made) > bound:
            raise TooLong
        if not member.eof:
            raise NotGzip
        rest = member.unused_data
        if not rest:
            return made
    raise NotGzip
