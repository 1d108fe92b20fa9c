"""What a command needs to know to work on the stores of a running stack."""

from pathlib import Path

from devstack.errors import PartFailedError
from devstack.home.ports import LOOPBACK
from devstack.home.stack_file import read_members
from devstack.parts.mongod import mongo_uri
from devstack.parts.services import DATABASE, PLAIN


def addresses_in(stack_file: Path) -> dict[str, str]:
    """Return where the stores are, by the names that the services' settings have in the environment.

    Raises:
        PartFailedError: no stack is up.
    """
    members = read_members(stack_file)
    if members is None or not _is_alive(members["mongod"][0].pid):
        raise PartFailedError(
            f"no stack is up in {stack_file.parent}: start one (make run), or set WAYBILL_HOME"
        )
    return {
        **PLAIN,
        "MONGO_URI": mongo_uri(members["mongod"][0].port),
        "MONGO_DB": DATABASE,
        "REDIS_ADDR": f"{LOOPBACK}:{members['redis'][0].port}",
        "REDIS_DB": "0",
        "KAFKA_BROKERS": f"{LOOPBACK}:{members['kafka'][0].port}",
    }


def _is_alive(pid: int) -> bool:
    """Say whether the process is there: a stack that was killed has left its file."""
    return Path("/proc", str(pid)).exists()
