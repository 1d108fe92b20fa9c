"""Connections to Redis: of each mode, and their commands, packed by hiredis as the driver would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Connection, Redis, RedisCluster, SSLConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from storage.redis.connection import open_redis
from storage.settings import RedisMode, RedisSettings

arguments = st.text() | st.binary() | st.integers() | st.floats(allow_nan=False)
names = st.sampled_from(["GET", "SCRIPT LOAD", b"SMISMEMBER", "CLIENT SETINFO"])


async def connections(mode: str) -> list[type[Connection]]:
    """Return the classes of connections without and with TLS."""
    classes = []
    for tls in (False, True):
        settings = RedisSettings.model_validate({"REDIS_TLS": tls, "REDIS_MODE": mode})
        async with open_redis(settings) as client:
            if isinstance(client, RedisCluster):
                [node] = client.startup_nodes
                assert node.connection_class is client.connection_kwargs["connection_class"]
                classes.append(node.connection_class)
            else:
                classes.append(client.connection_pool.connection_class)
    return classes


@pytest.mark.parametrize("mode", RedisMode)
async def test_connections_have_tls_where_it_is_asked_for(mode: RedisMode) -> None:
    plain, secured = await connections(mode)
    assert issubclass(plain, Connection)
    assert not issubclass(plain, SSLConnection)
    assert issubclass(secured, SSLConnection)


async def test_sentinels_have_credentials_of_their_own() -> None:
    given = {"REDIS_MODE": "sentinel", "REDIS_PASSWORD": "one", "REDIS_SENTINEL_PASSWORD": "other"}
    async with open_redis(RedisSettings.model_validate(given)) as client:
        assert isinstance(client, Redis)
        pool = client.connection_pool
        assert isinstance(pool, SentinelConnectionPool)
        [sentinel] = pool.sentinel_manager.sentinels
        assert pool.connection_kwargs["password"] == "one"  # noqa: S105
        assert sentinel.connection_pool.connection_kwargs["password"] == "other"  # noqa: S105


@given(names, st.lists(arguments, max_size=6))
async def test_commands_are_packed_as_the_driver_packs_them(
    name: str | bytes, arguments: list[str | bytes | int | float]
) -> None:
    for kind in await connections("server"):
        assert b"".join(kind().pack_command(name, *arguments)) == b"".join(
            Connection().pack_command(name, *arguments)
        )
