"""Addresses of a running stack's stores, for commands that work on them."""

from pathlib import Path

from devstack.errors import PartFailedError
from devstack.home.ports import LOOPBACK
from devstack.home.stack_file import SENTINELS, Members, read_members
from devstack.parts.mongod import mongo_uri
from devstack.parts.services import DATABASE, PLAIN


def addresses_in(stack_file: Path) -> dict[str, str]:
    """Return the addresses of the stores, by the names of the services' settings in the environment.

    Raises:
        PartFailedError: no stack is up.
    """
    members = read_members(stack_file)
    if members is None or not any(_is_alive(member.pid) for member in members["mongod"]):
        raise PartFailedError(
            f"no stack is up in {stack_file.parent}: start one (make run), or set WAYBILL_HOME"
        )
    return {
        **PLAIN,
        "MONGO_URI": mongo_uri(*(member.port for member in members["mongod"])),
        "MONGO_DB": DATABASE,
        **redis_addresses(members),
        "REDIS_DB": "0",
        "KAFKA_BROKERS": f"{LOOPBACK}:{members['kafka'][0].port}",
    }


def redis_addresses(members: Members) -> dict[str, str]:
    """Return the settings of Redis's addresses: those of its Sentinels if it has any."""
    mode = "sentinel" if SENTINELS in members else "server"
    nodes = members[SENTINELS if SENTINELS in members else "redis"]
    return {"REDIS_ADDR": ",".join(f"{LOOPBACK}:{node.port}" for node in nodes), "REDIS_MODE": mode}


def _is_alive(pid: int) -> bool:
    """Return whether the process exists: a killed stack leaves its file behind."""
    return Path("/proc", str(pid)).exists()
