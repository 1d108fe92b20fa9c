"""Roles of a stack's servers of Redis: which is the primary, and its replacement on request."""

from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from devstack.home.stack_file import SENTINELS, Member
from devstack.parts.redis import MASTER
from tests.support.stack import RunningStack

_WITHIN_S = 1.0


def primary_of(stack: RunningStack) -> int:
    """Return the place in `stack.json` of the server to which clients write.

    Raises:
        RedisError: no Sentinel responds.
    """
    servers = stack.members()["redis"]
    if len(servers) == 1:
        return 0
    _, port = _ask_any(stack.members()[SENTINELS], "SENTINEL GET-MASTER-ADDR-BY-NAME", MASTER)
    return [server.port for server in servers].index(int(port))


def fail_over(stack: RunningStack) -> bool:
    """Let the Sentinels promote the replica; return whether they began to."""
    try:
        _ask_any(stack.members()[SENTINELS], "SENTINEL FAILOVER", MASTER)
    except RedisError:  # no replica that could be promoted, or one is being promoted
        return False
    return True


def ask(member: Member, *command: str | int) -> Any:  # noqa: ANN401  # what the command returns
    """Run one command at a server.

    Raises:
        RedisError: it does not respond, or refuses.
    """
    with Redis(port=member.port, socket_timeout=_WITHIN_S, retry=Retry(NoBackoff(), 0)) as client:
        return client.execute_command(*command)


def _ask_any(sentinels: tuple[Member, ...], *command: str) -> Any:  # noqa: ANN401  # what the command returns
    error = RedisError("no Sentinel")
    for sentinel in sentinels:
        try:
            return ask(sentinel, *command)
        except RedisError as caught:
            error = caught
    raise error
