"""Replace a file so that a reader sees the old content or the new, never a part."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: str) -> None:
    """Write `content` to `path` through a temporary neighbour and a rename. Blocks on the disk."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
