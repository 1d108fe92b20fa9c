"""Check of tracking numbers without the API: `99M-`, 11 characters of Crockford base32, a check character."""

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX: Final = "99M-"

_FORM: Final = re.compile(rf"{PREFIX}[{ALPHABET}]{{12}}")
_READ_AS: Final = str.maketrans("ILO", "110")
_POLYNOMIAL: Final = 0b100101


def read_tracking_number(text: str) -> str:
    """Return a typed or scanned tracking number in its one form: upper case, I and L read as 1, O as 0.

    The check character is Damm's over GF(32) (H. M. Damm, *Total anti-symmetrische Quasigruppen*, 2004): any
    single wrong character and any swap of two neighbours is found.

    Raises:
        ValueError: the form or the check character is wrong.
    """
    upper = text.upper() if text.isascii() else text
    number = upper[: len(PREFIX)] + upper[len(PREFIX) :].translate(_READ_AS)
    if _FORM.fullmatch(number) is None:
        raise ValueError(f"must be {PREFIX} and 12 characters of {ALPHABET}")
    if _interim(number[len(PREFIX) :]) != 0:
        raise ValueError("has a wrong character or two swapped ones: its check character does not fit")
    return number


def _interim(characters: str) -> int:
    """Return the interim digit after all characters: zero if the last one is the right check character."""
    interim = 0
    for character in characters[:-1]:
        interim = (interim ^ ALPHABET.index(character)) << 1
        if interim >= len(ALPHABET):
            interim ^= _POLYNOMIAL
    return interim ^ ALPHABET.index(characters[-1])
