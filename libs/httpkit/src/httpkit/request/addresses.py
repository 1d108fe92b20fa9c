"""Where a request comes from, as far as that can be believed."""

import ipaddress
from typing import Final

from aiohttp import hdrs, web

from httpkit.request.bodies import HTTP_SETTINGS

UNKNOWN: Final = "unknown"
_IPV6_PREFIX: Final = 64
_LONGEST_ADDRESS: Final = 64


def client_address(request: web.Request) -> str:
    """Return the address of the client, in one form; an IPv6 one as its network, of which each host has all.

    Each trusted proxy appends to `X-Forwarded-For` whom it got the request from. With `TRUSTED_PROXIES` = n
    the n-th entry from the right is what the outermost of ours has seen; what stands left of it is the
    client's own claim. With 0, the default, the header is not looked at.
    """
    proxies = request.app[HTTP_SETTINGS].trusted_proxies
    if proxies:
        # From the right, and no further than is needed: what stands left of it may be endless.
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
