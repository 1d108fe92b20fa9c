"""Addresses that deliveries may be sent to: those of the public internet, and those that an operator allows.

`ipaddress.is_global` is not relied on: Python 3.11 says yes to 64:ff9b::7f00:1, 2002:7f00:1::, ::127.0.0.1,
fec0::1 and 224.0.0.1, and its answers differ between patch releases.
"""

from collections.abc import Iterator, Sequence
from errno import EACCES
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # unspecified: a socket to it reaches loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # public in form, but answered by the host of every virtual machine of Azure
        "169.254.0.0/16",  # link-local, where most clouds answer with credentials
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_LOOPBACK_V6: Final = IPv6Address("::1")
_GLOBAL_UNICAST_V6: Final = IPv6Network("2000::/3")
_TEREDO: Final = IPv6Network("2001::/32")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_REFUSED_V6: Final = (
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, benchmarking, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    _SIX_TO_FOUR,
    IPv6Network("3fff::/20"),  # documentation
)
_V4_AT_THE_END: Final = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # compatible
        "::ffff:0:0/96",  # mapped
        "::ffff:0:0:0/96",  # translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 of a site
    )
)
_32_BITS: Final = 0xFFFF_FFFF


class AddressNotAllowed(PermissionError):
    """The receiver's name or connection leads to an address that deliveries may not be sent to."""

    def __init__(self) -> None:
        super().__init__(EACCES, "the address is not allowed")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list, such as `127.0.0.0/8, ::1/128`.

    Raises:
        ValueError: one of them is not a network in CIDR notation.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


class AddressGuard:
    """Decision for each address, with the networks that an operator allows beside the public ones."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    @property
    def allows_networks(self) -> bool:
        """Whether any network is allowed beside the public ones."""
        return bool(self._allowed)

    def permits(self, address: str, *, plain: bool) -> bool:
        """Say whether a connection may lead to an address, and to the IPv4 addresses that it embeds.

        Args:
            address: in its text form; one that cannot be read is not permitted.
            plain: whether the connection is without TLS, which only allowed networks may receive.
        """
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if not self._is_allowed(parsed) and (plain or not _is_public(parsed)):
            return False
        return all(self._is_allowed(inner) or _is_public(inner) for inner in _embedded(parsed))

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)


def _is_public(address: Address) -> bool:
    """Say whether an address is globally reachable unicast, and embeds no other."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _REFUSED_V6)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that packets to an IPv6 address may be sent on to."""
    if isinstance(address, IPv4Address) or address == _LOOPBACK_V6:
        return
    bits = int(address)
    if any(address in network for network in _V4_AT_THE_END):
        yield IPv4Address(bits & _32_BITS)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & _32_BITS)
    if address in _TEREDO:
        yield IPv4Address(bits >> 64 & _32_BITS)
        yield IPv4Address(~bits & _32_BITS)
