"""Rules for new passwords."""

import functools
import importlib
from typing import Final

from storage.mongo.accounts.users import MAX_PASSWORD_BYTES

MIN_PASSWORD_BYTES: Final = 8

# Additions to the list, which is English and does not know this product.
_ALSO_COMMON: Final = (
    "00000000",
    "87654321",
    "adminadmin",
    "contraseña",
    "contrasena1",
    "waybill1",
    "waybill123",
)


def password_fault(password: str, username: str | None = None) -> str | None:
    """Return the fault of a new password, or None."""
    length = len(password.encode())
    if not MIN_PASSWORD_BYTES <= length <= MAX_PASSWORD_BYTES:
        return f"{length} bytes in UTF-8, not {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES}"
    if "\0" in password:
        return "contains NUL"
    if password.lower() in common_passwords():
        return "one of the first that anybody would try"
    if username is not None and password.lower() == username.lower():
        return "the user name itself"
    return None


@functools.cache
def common_passwords() -> frozenset[str]:
    """Return the most common passwords, in lower case: those of zxcvbn's list that are long enough.

    Loaded when a password is first set: the lists take 15 MiB.
    """
    lists = importlib.import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    long_enough = (word.lower() for word in lists["passwords"] if len(word.encode()) >= MIN_PASSWORD_BYTES)
    return frozenset((*long_enough, *_ALSO_COMMON))
