"""Ports for servers of tests: no two of the processes that share the tests choose the same one."""

from random import Random
from typing import Final

from devstack.home.port_claims import PortClaims
from devstack.home.ports import CANDIDATES, is_free

# Between the ports of stacks and those that the kernel gives to outgoing connections.
_CANDIDATES: Final = range(CANDIDATES.stop, 32_768)
_claims: Final = PortClaims()
_chance: Final = Random()  # noqa: S311  # spreads the choices; nothing secret


def unused_port() -> int:
    """Return a port on which nothing listens, kept for this process until it ends."""
    for port in _chance.sample(_CANDIDATES, k=len(_CANDIDATES)):
        if not _claims.holds(port) and _claims.take(port) and is_free(port):
            return port
    raise RuntimeError(f"no port is free from {_CANDIDATES.start} to {_CANDIDATES.stop - 1}")
