"""Links: addresses that services use for a store instead of its own; fault tests put a proxy there."""

import re
from collections.abc import Mapping

from devstack.errors import SettingsError
from devstack.home.ports import member_name

VARIABLE = "WAYBILL_LINKS"
_ADDRESS = re.compile(r"[^\s:,=/?]+:(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65_535


def links_from(
    env: Mapping[str, str], *, kafka_brokers: int, redis_sentinels: int = 0, mongo_members: int = 1
) -> dict[str, str]:
    """Read `WAYBILL_LINKS`, as in `mongod=127.0.0.1:20001,redis=127.0.0.1:20002`: addresses by store.

    Each member of MongoDB has its own, as in `mongod-2=127.0.0.1:20003`: the set advertises it.

    Raises:
        SettingsError: malformed, an unknown store, one named twice, or one that tells its clients the
            addresses of its own servers: Kafka as several brokers, Redis behind Sentinels.
    """
    linkable = (*map(member_name, range(1, mongo_members + 1)), "redis", "kafka")
    links: dict[str, str] = {}
    for entry in filter(None, map(str.strip, env.get(VARIABLE, "").split(","))):
        store, _, address = entry.partition("=")
        if store not in linkable:
            raise SettingsError(f"{VARIABLE} may name {', '.join(linkable)}, not {store!r}")
        if store in links:
            raise SettingsError(f"{VARIABLE} names {store} twice")
        if not _is_address(address):
            raise SettingsError(f"{VARIABLE} must give {store} as host:port, not {address!r}")
        if (
            store == "kafka" and kafka_brokers > 1
        ):  # each advertises its address: a client of one connects to all
            raise SettingsError(f"{VARIABLE} cannot link kafka with WAYBILL_KAFKA_BROKERS={kafka_brokers}")
        if store == "redis" and redis_sentinels:
            raise SettingsError(
                f"{VARIABLE} cannot link redis with WAYBILL_REDIS_SENTINELS={redis_sentinels}"
            )
        links[store] = address
    return links


def _is_address(text: str) -> bool:
    found = _ADDRESS.fullmatch(text)
    return found is not None and 1 <= int(found["port"]) <= _HIGHEST_PORT
