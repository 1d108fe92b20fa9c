"""The directory of a stack: data, logs, ports, secrets and the lock on it."""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import AlreadyRunningError, PrerequisiteError

LEAST_FREE_BYTES = 1 << 30
_LEFTOVER_WAIT_S = 10.0
_POLL_S = 0.05
_OWN = re.compile(
    r"mongod(-[0-9]+)?|redis(-sentinel)?(-[0-9]+)?|kafka(-[0-9]+)?|gateway|logs|(ports|stack)\.json"
    r"|jwt_secret|webhooks_keys|lock"
)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below `$WAYBILL_HOME`."""

    root: Path

    @property
    def logs(self) -> Path:
        """Log directory of the children."""
        return self.root / "logs"

    @property
    def ports_file(self) -> Path:
        """The ports of the last start."""
        return self.root / "ports.json"

    @property
    def stack_file(self) -> Path:
        """List of running children; absent while the stack is not up."""
        return self.root / "stack.json"

    def data(self, name: str) -> Path:
        """Return the data directory of one store, creating it if need be."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        return path

    def numbered(self, name: str) -> tuple[int, ...]:
        """Return the numbers of a store's further data directories: 2 and 3 of `mongod-2`, `mongod-3`."""
        suffixes = (path.name.removeprefix(f"{name}-") for path in self.root.glob(f"{name}-*"))
        return tuple(sorted(int(suffix) for suffix in suffixes if suffix.isascii() and suffix.isdigit()))

    @property
    def contents(self) -> list[Path]:
        """Files that a stack created here and would create again, without backups and foreign files."""
        return sorted(path for path in self.root.glob("*") if _OWN.fullmatch(path.name))

    def prepare(self) -> None:
        """Create the directories and check the free space.

        Raises:
            PrerequisiteError: not writable, or less than 1 GiB free.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.root).free
        except OSError as exc:
            raise PrerequisiteError(
                f"cannot use {self.root}: {exc.strerror}: set WAYBILL_HOME to a directory you own"
            ) from exc
        if free < LEAST_FREE_BYTES:
            raise PrerequisiteError(
                f"only {free >> 20} MiB free in {self.root}: free 1 GiB or set WAYBILL_HOME to another disk"
            )

    def jwt_secret(self) -> str:
        """Return the secret that signs this home's tokens, created at the first call."""
        return _kept(self.root / "jwt_secret", lambda: secrets.token_urlsafe(48))

    def webhooks_keys(self) -> str:
        """Return the key that encrypts the secrets of this home's webhooks, created at the first call."""
        return _kept(self.root / "webhooks_keys", _encryption_key)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[int]:
        """Lock this home; yields the lock's descriptor, which children inherit.

        The lock lasts until the last process with the descriptor is gone, so a new supervisor never
        meets a child of one that crashed. Waits for such leftovers, never for a living supervisor.

        Raises:
            AlreadyRunningError: another supervisor holds the home.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            await self._acquire(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)

    async def _acquire(self, descriptor: int) -> None:
        deadline = asyncio.get_running_loop().time() + _LEFTOVER_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.pread(descriptor, 20, 0).decode()
            else:
                return
            if _alive(owner) or asyncio.get_running_loop().time() > deadline:
                raise AlreadyRunningError(
                    f"{self.root} is in use by another stack (pid {owner}): stop it or set WAYBILL_HOME"
                )
            await asyncio.sleep(_POLL_S)


def _kept(path: Path, create: Callable[[], str]) -> str:
    """Return what is in a file that only its owner may read; created if it is missing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(create() + "\n")
    return path.read_text().strip()


def _encryption_key() -> str:
    """Return 32 random bytes in the form that Fernet has them."""
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path("/proc", pid).exists()
