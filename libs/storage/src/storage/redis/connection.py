"""Connections to Redis, with the timeouts that its driver lacks by default.

Redis is one server, or a primary that Sentinels watch and replace, or a cluster. A call that fails is not
repeated, and the next one finds the new primary: it asks the Sentinels, or the cluster's other nodes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, cast

from hiredis import pack_command
from redis.asyncio import Connection, Redis, RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisClusterException, RedisError
from redis.typing import EncodableT

from storage.settings import RedisMode, RedisSettings

RedisClient = Redis | RedisCluster
"""Client of one server (found by Sentinels or not), or of a cluster."""

UNAVAILABLE: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
"""Errors of a call; the driver's errors of a cluster without a node that responds are not `RedisError`."""

_ASKED_FOR_SLOTS: Final = 3
"""Nodes of a cluster that may be silent, one after the other, before a call gives up learning the slots."""


class _Packing(AbstractConnection):
    """Connection that packs commands with hiredis, which the driver has for its synchronous ones only.

    In Python an argument takes 0.8 µs, and an event is three arguments: 2 µs of the processor's CPU.
    """

    def pack_command(self, *args: EncodableT) -> list[bytes]:
        """Return a command in Redis's protocol; its name may be several words."""
        name = args[0].encode() if isinstance(args[0], str) else args[0]
        words = name.split() if isinstance(name, bytes) else [name]
        return [pack_command((*words, *args[1:]))]


class _PackingConnection(_Packing, Connection):
    """Connection without TLS."""


class _PackingTlsConnection(_Packing, SSLConnection):
    """Connection with TLS."""


class _PackingManagedConnection(_Packing, SentinelManagedConnection):
    """Connection without TLS to the primary that the Sentinels name."""


class _PackingManagedTlsConnection(_Packing, SentinelManagedSSLConnection):
    """Connection with TLS to the primary that the Sentinels name."""


class _Cluster(RedisCluster):
    """Client of a cluster that asks for its slots within a bound, and again after any failure.

    The driver asks node after node, one caller after the other: with every node silent, the last of ten
    callers would wait for ten times three timeouts. After a pipeline that is not repeated it does not ask
    at all, and would never find a promoted replica.
    """

    def __init__(self, *, bound_s: float, **options: Any) -> None:  # noqa: ANN401  # the driver's
        super().__init__(**options)
        self._bound_s = bound_s

    def pipeline(self, transaction: bool | None = None, shard_hint: str | None = None) -> ClusterPipeline:  # noqa: FBT001  # as the driver has it
        """See `RedisCluster.pipeline`."""
        if shard_hint:
            raise RedisClusterException("a cluster has no shard_hint")
        return _ClusterPipeline(self, transaction)  # type: ignore[abstract]  # as the driver's own is

    def ask_for_slots(self) -> None:
        """Let the next call ask which node has which slots."""
        self._initialize = True

    async def aclose(self) -> None:
        """Close all connections, also while the slots are to be asked for, when the driver closes none."""
        await super().aclose()
        await self.nodes_manager.aclose()
        await self.nodes_manager.aclose("startup_nodes")

    async def initialize(self, *args: Any, **kwargs: Any) -> RedisCluster:  # noqa: ANN401  # the driver's
        """See `RedisCluster.initialize`.

        Raises:
            TimeoutError: no node has responded in time.
        """
        async with asyncio.timeout(self._bound_s):
            return await super().initialize(*args, **kwargs)


class _ClusterPipeline(ClusterPipeline):
    """Pipeline of a cluster; a failure lets the next call ask for the slots."""

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:  # noqa: FBT001, FBT002  # as the driver has it
        """See `ClusterPipeline.execute`."""
        results = await super().execute(raise_on_error=False, allow_redirections=allow_redirections)
        failed = [result for result in results if isinstance(result, Exception)]
        if any(isinstance(error, RedisCluster.ERRORS_ALLOW_RETRY) for error in failed):
            cast("_Cluster", self.cluster_client).ask_for_slots()
        if failed and raise_on_error:
            raise failed[0]
        return results


@asynccontextmanager
async def open_redis(settings: RedisSettings) -> AsyncIterator[RedisClient]:
    """Open Redis; does not wait for a server. Commands fail after the timeout, without a retry.

    The driver's default is ten retries of five seconds each: one command to a hung server would hold its
    caller for a minute.
    """
    client: RedisClient
    async with AsyncExitStack() as opened:
        match settings.mode:
            case RedisMode.SERVER:
                client = _server(settings)
            case RedisMode.SENTINEL:
                sentinel = _sentinel(settings)
                opened.push_async_callback(sentinel.aclose)
                client = _primary(sentinel, settings)
            case RedisMode.CLUSTER:
                client = _cluster(settings)
        opened.push_async_callback(client.aclose)
        yield client


async def disconnect(redis: RedisClient) -> None:
    """Close the connections to a server that has become a replica; the next call finds the primary.

    A cluster's replica redirects its callers by itself.
    """
    if isinstance(redis, Redis):
        await redis.connection_pool.disconnect()


def _server(settings: RedisSettings) -> Redis:
    [(host, port)] = settings.addresses
    client = Redis(
        host=host,
        port=port,
        db=settings.db,
        **_options(settings),
        # No retry either, but a new connection: the address may resolve to the new primary by now.
        retry_on_error=[ReadOnlyError],
    )
    client.connection_pool.connection_class = _PackingTlsConnection if settings.tls else _PackingConnection
    return client


def _sentinel(settings: RedisSettings) -> Sentinel:
    password = settings.sentinel_password
    credentials = {
        "username": settings.sentinel_username,
        "password": password.get_secret_value() if password else None,
    }
    options = {**_options(settings), **credentials}
    return Sentinel(settings.addresses, sentinel_kwargs=options)  # type: ignore[no-untyped-call]


def _primary(sentinel: Sentinel, settings: RedisSettings) -> Redis:
    options = _options(settings)
    if not options.pop("ssl"):
        del options["ssl_ca_certs"]
    client: Redis = sentinel.master_for(
        settings.sentinel_master,
        db=settings.db,
        connection_class=_PackingManagedTlsConnection if settings.tls else _PackingManagedConnection,
        **options,
    )
    return client


def _cluster(settings: RedisSettings) -> RedisCluster:
    client = _Cluster(
        bound_s=_ASKED_FOR_SLOTS * settings.timeout_s,
        startup_nodes=[ClusterNode(host, port) for host, port in settings.addresses],
        **_options(settings),
    )
    packing = _PackingTlsConnection if settings.tls else _PackingConnection
    client.connection_kwargs["connection_class"] = packing
    for node in client.startup_nodes:
        node.connection_class = packing
    return client


def _options(settings: RedisSettings) -> dict[str, Any]:
    return {
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password else None,
        "ssl": settings.tls,
        "ssl_ca_certs": str(settings.tls_ca_file) if settings.tls_ca_file else None,
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
