"""`python -m httpkit.secret_file PATH`: writes a random secret there, unless there is one."""

import os
import secrets
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

from httpkit.settings import MIN_SECRET_BYTES


def ensure_secret(path: Path) -> None:
    """Write a random secret that the owner alone may read; the first of several writers wins."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as file:
        file.write(secrets.token_hex(MIN_SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
        try:
            # Whole or not at all, and never over one that others sign with already.
            path.hardlink_to(file.name)
        except FileExistsError:
            return


if __name__ == "__main__":
    ensure_secret(Path(sys.argv[1]))
