"""Addresses that deliveries may be sent to, in every form that an address has."""

import pytest

from webhooks.sending.address_guard import AddressGuard, parse_networks

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "99.255.255.255",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::1",
    "2a00:1450:4001:81b::200e",
    "3ffe:ffff::1",
]
REFUSED = [
    "0.0.0.0",  # noqa: S104  # to be refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_permitted_with_tls_only(address: str) -> None:
    guard = AddressGuard()
    assert guard.permits(address, plain=False)
    assert not guard.permits(address, plain=True)


@pytest.mark.parametrize("address", REFUSED)
def test_other_address_is_refused(address: str) -> None:
    guard = AddressGuard()
    assert not guard.permits(address, plain=False)
    assert not guard.permits(address, plain=True)


@pytest.mark.parametrize(
    ("networks", "address", "permitted"),
    [
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "10.0.0.1", False),
        ("127.0.0.0/8", "::1", False),
        ("127.0.0.0/8, ::1/128", "::1", True),
        ("127.0.0.0/8", "::ffff:127.0.0.1", False),
        ("10.1.0.0/16,fd12::/16", "10.1.2.3", True),
        ("10.1.0.0/16,fd12::/16", "10.2.2.3", False),
        ("10.1.0.0/16,fd12::/16", "fd12::5", True),
        # A translator that is allowed does not open what is behind it.
        ("64:ff9b::/96", "64:ff9b::808:808", True),
        ("64:ff9b::/96", "64:ff9b::7f00:1", False),
        ("64:ff9b::/96,127.0.0.0/8", "64:ff9b::7f00:1", True),
        ("64:ff9b:1::/48", "64:ff9b:1::a00:1", False),
        ("2002::/16", "2002:a00:1::1", False),
        ("2002::/16", "2002:808:808::1", True),
        ("2001::/32", "2001:0:808:808::f7f7:f7f7", True),
        ("2001::/32", "2001:0:808:808::80ff:fffe", False),
        ("2001::/32", "2001:0:7f00:1::f7f7:f7f7", False),
        ("::ffff:0:0/96", "::ffff:10.0.0.1", False),
    ],
)
def test_allowed_network_is_permitted_with_and_without_tls(
    networks: str, address: str, *, permitted: bool
) -> None:
    guard = AddressGuard(parse_networks(networks))
    assert guard.permits(address, plain=False) is permitted
    assert guard.permits(address, plain=True) is permitted


def test_allowed_networks_do_not_close_the_public_ones() -> None:
    guard = AddressGuard(parse_networks("127.0.0.0/8"))
    assert guard.permits("8.8.8.8", plain=False)
    assert not guard.permits("8.8.8.8", plain=True)


@pytest.mark.parametrize("text", ["127.0.0.1/8", "loopback", "10.0.0.0/33", "10.0.0.0/8;::1/128"])
def test_networks_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_networks(text)


def test_no_networks_are_allowed_by_an_empty_list() -> None:
    assert parse_networks("") == parse_networks(" , ") == ()
