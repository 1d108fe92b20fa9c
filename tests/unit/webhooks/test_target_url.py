"""URLs that an endpoint may be registered with."""

import pytest

from webhooks.sending.address_guard import AddressGuard, parse_networks
from webhooks.sending.target_url import url_problem

PUBLIC_ONLY = AddressGuard()
WITH_LOOPBACK = AddressGuard(parse_networks("127.0.0.0/8,::1/128"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://hooks.example.com:8443/a/b?token=1",
        "https://bücher.example/hook",
        "https://a_b.example.com/",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://localhost/",  # a name: it is judged when it is connected to
        "HTTPS://EXAMPLE.COM/",
    ],
)
def test_https_url_of_a_name_or_a_public_address_can_be_registered(url: str) -> None:
    assert url_problem(url, PUBLIC_ONLY) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/hook",
        "https://",
        "https:///hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "http://example.com/",
        "http://8.8.8.8/",
        "https://user:password@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        " https://example.com/",
        "https://example.com/ ",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/\u202etxt.exe",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:port/",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://exam%00ple.com/",
        "https://.example.com/",
        "https://a..example.com/",
        f"https://{'a.' * 130}example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://foo.1/",
    ],
)
def test_other_url_has_a_problem(url: str) -> None:
    assert url_problem(url, PUBLIC_ONLY)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/hook",
        "https://127.0.0.1:9000/hook",
        "http://[::1]:9000/hook",
        "http://localhost:9000/hook",
        "https://example.com/",
    ],
)
def test_url_of_an_allowed_network_can_be_registered(url: str) -> None:
    assert url_problem(url, WITH_LOOPBACK) is None


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "http://10.0.0.1/", "https://10.0.0.1/", "http://127.1/"])
def test_url_of_another_network_has_a_problem_still(url: str) -> None:
    assert url_problem(url, WITH_LOOPBACK)
