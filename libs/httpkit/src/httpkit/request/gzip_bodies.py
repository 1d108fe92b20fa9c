"""Bodies compressed with gzip, bounded by their decompressed size."""

import asyncio
import zlib
from typing import Final

MAX_MEMBERS: Final = 100
SHORT_BYTES: Final = 16 * 1024
"""Up to this size a body is decompressed in the event loop: that takes some 0.1 ms."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_MAX_RATIO: Final = 1_032
"""The highest ratio of deflate (zlib.net/zlib_tech.html)."""


class NotGzip(Exception):
    """The body is not gzip, is truncated, or has a wrong checksum.

    Attributes:
        made: upper bound of the bytes that were decompressed before the error.
    """

    def __init__(self, made: int) -> None:
        super().__init__(made)
        self.made = made


class TooLong(Exception):
    """The body is longer than its bound."""


async def decompress_in_turn(body: bytes, turn: asyncio.Lock, *, bound: int) -> bytes:
    """Decompress a body; a long one in a thread, one at a time.

    The event loop serves other requests meanwhile: zlib releases the interpreter's lock.

    Raises:
        NotGzip: see there.
        TooLong: the content is longer than `bound` bytes.
    """
    if len(body) <= SHORT_BYTES:
        try:
            return decompress(body, bound=min(bound, SHORT_BYTES))
        except TooLong:
            if bound <= SHORT_BYTES:
                raise
    async with turn:
        return await asyncio.to_thread(decompress, body, bound=bound)


def decompress(body: bytes, *, bound: int) -> bytes:
    """Return the content of a gzip body (RFC 1952, up to `MAX_MEMBERS` members).

    Uses at most the memory of `bound` bytes, whatever the decompressed size.

    Raises:
        NotGzip: see there.
        TooLong: the content is longer than `bound` bytes.
    """
    parts, made, rest = list[bytes](), 0, body
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(rest, bound + 1 - made)
        except zlib.error as error:
            raise NotGzip(min(bound, made + _MAX_RATIO * len(rest))) from error
        parts.append(part)
        made += len(part)
        if made > bound:
            raise TooLong
        if not member.eof:
            raise NotGzip(made)
        rest = member.unused_data
        if not rest:
            return b"".join(parts)
    raise NotGzip(made)
