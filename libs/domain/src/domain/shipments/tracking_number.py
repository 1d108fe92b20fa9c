"""Tracking numbers: `99M-`, eleven Crockford base32 characters and a check character.

The check character is Damm's, over the finite field GF(32) with x^5 + x^2 + 1: it catches every single
wrong character and every swap of two neighbours (H. M. Damm, *Total anti-symmetrische Quasigruppen*,
Marburg 2004). It stays in the alphabet, so a tracking number is safe in a URL as it is.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NewType

from domain.errors import InvalidTrackingNumber

TrackingNumber = NewType("TrackingNumber", str)

PREFIX: Final = "99M-"
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PATTERN: Final = rf"{PREFIX}[{ALPHABET}]{{12}}"
READ_CHARACTERS: Final = "[0-9A-TV-Za-tv-z]"
READ_PATTERN: Final = rf"99[Mm]-{READ_CHARACTERS}{{12}}"
"""The form that `read_tracking_number` accepts: of ASCII letters, all but U."""
ENTROPY_BYTES: Final = 7

LENGTH: Final = 16
NOBODY: Final = TrackingNumber("99M-000000000001")
"""A number with a wrong check character, so no shipment has it."""

_BODY_LENGTH = 11
_FORM = re.compile(PATTERN)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_READ_AS: Final = str.maketrans("ILO", "110")
_FIELD_POLYNOMIAL = 0b100101
_FIELD_SIZE = 32


def check_character(body: str) -> str:
    """Return the character that makes `body`, a string over `ALPHABET`, a valid number."""
    interim = 0
    for character in body:
        interim = (interim ^ _VALUES[character]) << 1
        if interim >= _FIELD_SIZE:
            interim ^= _FIELD_POLYNOMIAL
    return ALPHABET[interim]


def is_tracking_number(text: str) -> bool:
    """Say whether `text` has the form and the check character of a tracking number."""
    # What is remembered is as long as a number: else 16,384 texts of any length would be held.
    return len(text) == LENGTH and _is_number(text)


@lru_cache(maxsize=16_384)  # a shipment comes back about five times
def _is_number(text: str) -> bool:
    return _FORM.fullmatch(text) is not None and check_character(text[len(PREFIX) : -1]) == text[-1]


def parse_tracking_number(text: str) -> TrackingNumber:
    """Return `text` as a tracking number.

    Raises:
        InvalidTrackingNumber: the form or the check character is wrong.
    """
    if not is_tracking_number(text):
        raise InvalidTrackingNumber(
            f"a tracking number is {PREFIX} and 12 of {ALPHABET}, the last a check character"
        )
    return TrackingNumber(text)


def read_tracking_number(text: str) -> TrackingNumber:
    """Return typed or scanned text as a tracking number: Crockford's alphabet in either case.

    Raises:
        InvalidTrackingNumber: the form or the check character is wrong.
    """
    return TrackingNumber(text) if is_tracking_number(text) else parse_tracking_number(canonical(text))


def canonical(text: str) -> str:
    """Return a tracking number, or the beginning of one, in upper case, with I and L read as 1 and O as 0.

    Text that is not ASCII stays as it is: its upper case may be ASCII.
    """
    if not text.isascii():
        return text
    upper = text.upper()
    return upper[: len(PREFIX)] + upper[len(PREFIX) :].translate(_READ_AS)


def number_to_find(text: str) -> TrackingNumber:
    """Return the number to look up for typed text: `NOBODY` for nonsense, which costs as much."""
    number = canonical(text)
    return TrackingNumber(number) if is_tracking_number(number) else NOBODY


def tracking_number_from(entropy: bytes) -> TrackingNumber:
    """Make a tracking number out of the first 55 of `ENTROPY_BYTES` random bytes."""
    number = int.from_bytes(entropy[:ENTROPY_BYTES], "big")
    body = "".join(ALPHABET[(number >> (5 * place)) % _FIELD_SIZE] for place in range(_BODY_LENGTH))
    return TrackingNumber(f"{PREFIX}{body}{check_character(body)}")


def derive_tracking_number(user: str, idempotency_key: str, attempt: int) -> TrackingNumber:
    """Derive the number of a creation, so that repeating the request creates nothing new.

    Args:
        user: who sends the request; the same key of another user gives another number.
        idempotency_key: the request's `Idempotency-Key`.
        attempt: 0, and one more after each collision with somebody else's shipment.
    """
    # a header that is not UTF-8 reaches us with lone surrogates in it: any key must do
    request = f"{attempt}\0{user}\0{idempotency_key}".encode(errors="surrogatepass")
    digest = blake2b(request, digest_size=ENTROPY_BYTES)
    return tracking_number_from(digest.digest())
