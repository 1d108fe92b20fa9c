"""Commands to Redis, packed by hiredis: the bytes that the driver itself would send."""

from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Connection, SSLConnection

from storage.redis.connection import open_redis
from storage.settings import RedisSettings

arguments = st.text() | st.binary() | st.integers() | st.floats(allow_nan=False)
names = st.sampled_from(["GET", "SCRIPT LOAD", b"SMISMEMBER", "CLIENT SETINFO"])


async def connections() -> list[type]:
    """Return the classes of connections without and with TLS."""
    classes = []
    for tls in (False, True):
        async with open_redis(RedisSettings(REDIS_TLS=tls)) as client:  # type: ignore[call-arg]  # by its alias
            classes.append(client.connection_pool.connection_class)
    return classes


async def test_connections_have_tls_where_it_is_asked_for() -> None:
    plain, secured = await connections()
    assert issubclass(plain, Connection)
    assert not issubclass(plain, SSLConnection)
    assert issubclass(secured, SSLConnection)


@given(names, st.lists(arguments, max_size=6))
async def test_commands_are_packed_as_the_driver_packs_them(
    name: str | bytes, arguments: list[str | bytes | int | float]
) -> None:
    for kind in await connections():
        assert b"".join(kind().pack_command(name, *arguments)) == b"".join(
            Connection().pack_command(name, *arguments)
        )
