"""The client's address, as far as it can be trusted."""

import ipaddress
from typing import Final

from aiohttp import hdrs, web

from httpkit.request.bodies import HTTP_SETTINGS

UNKNOWN: Final = "unknown"
_IPV6_PREFIX: Final = 64
_LONGEST_ADDRESS: Final = 64


def client_address(request: web.Request) -> str:
    """Return the client's address in normal form; for IPv6 its /64 network, which a host has as a whole.

    Each trusted proxy appends the address it received the request from to `X-Forwarded-For`. With
    `TRUSTED_PROXIES` = n the n-th entry from the right is what our outermost proxy has seen; entries left of
    it are the client's own claim. With 0, the default, the header is ignored.
    """
    proxies = request.app[HTTP_SETTINGS].trusted_proxies
    if proxies:
        # From the right, and no further than needed: the rest may be arbitrarily long.
        entries = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ())).rsplit(",", proxies)
        if len(entries) >= proxies:
            address = _normalized(entries[-proxies].strip())
            if address is not None:
                return address
    return _normalized(request.remote or "") or UNKNOWN


def _normalized(text: str) -> str | None:
    if len(text) > _LONGEST_ADDRESS:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False).network_address)
