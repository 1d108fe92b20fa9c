"""Claims on ports: between its choice and its server's start a port looks free to every other stack."""

import fcntl
import os
import tempfile
from pathlib import Path


class PortClaims:
    """The ports that this process has claimed from this user's other processes.

    A claim is a lock on a file of the directory for temporary files. It ends with `release` or the process.
    """

    def __init__(self) -> None:
        self._directory = Path(tempfile.gettempdir()) / f"waybill-ports-{os.getuid()}"
        self._held: dict[int, int] = {}

    def holds(self, port: int) -> bool:
        """Say whether this object has claimed `port`."""
        return port in self._held

    def take(self, port: int) -> bool:
        """Claim `port`; return False if another process has claimed it.

        Raises:
            OSError: the directory cannot be written.
        """
        if port in self._held:
            return True
        self._directory.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self._directory / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._held[port] = file
        return True

    def release(self, *ports: int) -> None:
        """Give up the claims on `ports`, on all of them without any."""
        for port in ports or tuple(self._held):
            os.close(self._held.pop(port))
