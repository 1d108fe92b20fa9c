"""Bytes as lines of hexadecimal digits and text, as `hexdump` writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 16
_PRINTABLE: Final = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class HexLine:
    """Up to 16 bytes.

    Attributes:
        offset: of the first byte, as four digits.
        digits: two for each byte, in groups of eight bytes.
        text: a character for each byte; a dot where it is not printable ASCII.
    """

    offset: str
    digits: str
    text: str


def hex_lines(digits: str) -> Sequence[HexLine]:
    """Return the lines of bytes that are given as hexadecimal digits."""
    raw = bytes.fromhex(digits)
    return [_line(at, raw[at : at + WIDTH]) for at in range(0, len(raw), WIDTH)]


def _line(offset: int, raw: bytes) -> HexLine:
    half = WIDTH // 2
    digits = f"{raw[:half].hex(' ')}  {raw[half:].hex(' ')}".rstrip()
    text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in raw)
    return HexLine(f"{offset:04x}", digits, text)
