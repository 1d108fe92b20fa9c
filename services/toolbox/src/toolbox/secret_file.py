"""`waybill-admin secrets PATH... [--keys PATH...] [--shared PATH...]`: write missing secrets into files."""

import argparse
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from pydantic import BaseModel, ConfigDict

from httpkit.settings import MIN_SECRET_BYTES, HttpSettings
from servicekit.settings import load_settings

_KEY_BYTES: Final = 32
_OWNER_READS: Final = 0o600
_GROUP_READS: Final = 0o640


class SigningSettings(BaseModel):
    """Settings that must be valid before a signing secret exists."""

    model_config = ConfigDict(frozen=True)

    http: HttpSettings


def random_secret() -> str:
    """Return a secret for signing, or a password."""
    return secrets.token_hex(MIN_SECRET_BYTES)


def random_key() -> str:
    """Return a key for encryption: 32 random bytes in the form that Fernet has them."""
    return urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def ensure_secret(path: Path, secret: str, *, shared: bool = False) -> None:
    """Write a secret that only the owner may read; the first of several writers wins.

    Args:
        path: of the file; its directory must exist.
        secret: written if the file is missing.
        shared: True if the group may read it too, for servers that run as another user.
    """
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        os.fchmod(file.fileno(), _GROUP_READS if shared else _OWNER_READS)
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
        try:
            # Atomic, and never over a secret that is already in use.
            path.hardlink_to(file.name)
        except FileExistsError:
            return


def main(arguments: list[str] | None = None) -> None:
    """Write the missing secrets.

    Raises:
        SystemExit: the command line is wrong, or a development environment would be open to others.
    """
    load_settings(SigningSettings)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("private", nargs="*", type=Path, help="read by this user alone")
    parser.add_argument("--keys", nargs="+", type=Path, default=[], help="keys for encryption, likewise")
    parser.add_argument("--shared", nargs="+", type=Path, default=[], help="read by this user's group too")
    given = parser.parse_args(arguments)
    for path in given.private:
        ensure_secret(path, random_secret())
    for path in given.keys:
        ensure_secret(path, random_key())
    for path in given.shared:
        ensure_secret(path, random_secret(), shared=True)
