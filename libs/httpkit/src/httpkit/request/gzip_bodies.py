"""Bodies compressed with gzip: bounded by what they become, not by what they are."""

import asyncio
import zlib
from typing import Final

MAX_MEMBERS: Final = 100
SHORT_BYTES: Final = 16 * 1024
"""What becomes no longer is decompressed at once: that takes some 0.1 ms."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_MAX_RATIO: Final = 1_032
"""A byte of deflate becomes no more (zlib.net/zlib_tech.html)."""


class NotGzip(Exception):
    """The body is not gzip, breaks off, or has a wrong checksum.

    Attributes:
        made: how many bytes were decompressed before that was known, at most.
    """

    def __init__(self, made: int) -> None:
        super().__init__(made)
        self.made = made


class TooLong(Exception):
    """The body is longer than its bound."""


async def decompress_in_turn(body: bytes, turn: asyncio.Lock, *, bound: int) -> bytes:
    """Return what `decompress` does; what takes long does so in a thread, one body at a time.

    So the event loop serves others meanwhile: zlib does not hold the interpreter's lock.

    Raises:
        NotGzip: see there.
        TooLong: it holds more than `bound` bytes.
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
    """Return what a gzip body (RFC 1952, up to `MAX_MEMBERS` members) holds.

    Takes the memory of `bound` bytes, however much the body would become.

    Raises:
        NotGzip: see there.
        TooLong: it holds more than `bound` bytes.
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
