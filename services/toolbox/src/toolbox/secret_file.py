"""`waybill-admin secrets PATH... [--shared PATH...]`: write random secrets into missing files."""

import argparse
import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from pydantic import BaseModel, ConfigDict

from httpkit.settings import MIN_SECRET_BYTES, HttpSettings
from servicekit.settings import load_settings

_OWNER_READS: Final = 0o600
_GROUP_READS: Final = 0o640


class SigningSettings(BaseModel):
    """Settings that must be valid before a signing secret exists."""

    model_config = ConfigDict(frozen=True)

    http: HttpSettings


def ensure_secret(path: Path, *, shared: bool = False) -> None:
    """Write a random secret that only the owner may read; the first of several writers wins.

    Args:
        path: of the file; its directory must exist.
        shared: True if the group may read it too, for servers that run as another user.
    """
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        os.fchmod(file.fileno(), _GROUP_READS if shared else _OWNER_READS)
        file.write(secrets.token_hex(MIN_SECRET_BYTES))
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
    parser.add_argument("--shared", nargs="+", type=Path, default=[], help="read by this user's group too")
    given = parser.parse_args(arguments)
    for path in given.private:
        ensure_secret(path)
    for path in given.shared:
        ensure_secret(path, shared=True)
