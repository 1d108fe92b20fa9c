"""No proxy is used between the stack's own processes, nor between tests and what they start."""

import os
import urllib.request

import pytest

from devstack.loopback import HOSTS, past_proxies
from devstack.settings import StackSettings

PROXIES = {"http_proxy": "http://proxy.example:3128", "HTTPS_PROXY": "http://proxy.example:3128"}


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ({}, "localhost,127.0.0.1,::1,[::1]"),
        ({"no_proxy": ""}, "localhost,127.0.0.1,::1,[::1]"),
        ({"no_proxy": "example.com, localhost"}, "example.com,localhost,127.0.0.1,::1,[::1]"),
        ({"NO_PROXY": "example.com"}, "example.com,localhost,127.0.0.1,::1,[::1]"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_loopback_is_added_to_what_needs_no_proxy(given: dict[str, str], listed: str) -> None:
    env = past_proxies({**PROXIES, **given})
    assert env["NO_PROXY"] == listed
    assert env["http_proxy"] == PROXIES["http_proxy"]


def test_the_children_of_a_stack_inherit_it() -> None:
    settings = StackSettings.from_environment(PROXIES, stores_only=False)
    assert settings.inherited["no_proxy"] == ",".join(HOSTS)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:1", "[::1]:1"])
def test_a_client_that_reads_proxy_settings_bypasses_them_on_loopback(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in past_proxies(PROXIES).items():
        monkeypatch.setenv(name, value)
    assert urllib.request.proxy_bypass_environment(host)  # type: ignore[attr-defined]  # as urlopen asks it
    assert not urllib.request.proxy_bypass_environment("example.com")  # type: ignore[attr-defined]  # likewise


def test_tests_bypass_proxies_too() -> None:
    assert past_proxies(os.environ) == dict(os.environ)
