"""Secrets of endpoints: made, and encrypted for the database."""

import secrets
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


class UnreadableSecret(Exception):
    """A secret was encrypted with a key that is not among the configured ones, or is damaged."""


class SecretSealer:
    """Encrypts secrets with the first of its keys, and decrypts them with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> bytes:
        """Return a secret as it is stored."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Return the secret of what is stored.

        Raises:
            UnreadableSecret: none of the keys fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise UnreadableSecret("none of WEBHOOKS_KEYS decrypts this secret") from None

    def open_all(self, sealed: Iterable[bytes]) -> list[str]:
        """Return the secrets that can be decrypted, in their order.

        Raises:
            UnreadableSecret: none of them can.
        """
        opened = []
        for each in sealed:
            try:
                opened.append(self.open(each))
            except UnreadableSecret:
                continue
        if not opened:
            raise UnreadableSecret("none of WEBHOOKS_KEYS decrypts a secret of this endpoint")
        return opened


def new_secret() -> str:
    """Return a new secret in the form of Standard Webhooks: `whsec_` and base64 of 32 random bytes."""
    return f"{PREFIX}{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
