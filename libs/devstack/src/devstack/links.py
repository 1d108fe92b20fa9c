"""Links: what services reach a store through, not at its own address; fault tests put a proxy there."""

import re
from collections.abc import Mapping

from devstack.errors import SettingsError

VARIABLE = "WAYBILL_LINKS"
LINKABLE = ("mongod", "redis", "kafka")
_ADDRESS = re.compile(r"[^\s:,=/?]+:(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65_535


def links_from(env: Mapping[str, str]) -> dict[str, str]:
    """Read `WAYBILL_LINKS`, as in `mongod=127.0.0.1:20001,redis=127.0.0.1:20002`: addresses by store.

    Raises:
        SettingsError: an entry is malformed, or names an unknown store or one twice.
    """
    links: dict[str, str] = {}
    for entry in filter(None, map(str.strip, env.get(VARIABLE, "").split(","))):
        store, _, address = entry.partition("=")
        if store not in LINKABLE:
            raise SettingsError(f"{VARIABLE} may name {', '.join(LINKABLE)}, not {store!r}")
        if store in links:
            raise SettingsError(f"{VARIABLE} names {store} twice")
        if not _is_address(address):
            raise SettingsError(f"{VARIABLE} must give {store} as host:port, not {address!r}")
        links[store] = address
    return links


def _is_address(text: str) -> bool:
    found = _ADDRESS.fullmatch(text)
    return found is not None and 1 <= int(found["port"]) <= _HIGHEST_PORT
