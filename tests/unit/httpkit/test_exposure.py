"""Development settings: the process does not start if other machines can reach it."""

import pytest

from httpkit.settings import HttpSettings
from servicekit.settings import InvalidSettings, read_settings
from toolbox.secret_file import SigningSettings, main

NAMES = ("ENV", "HOST", "WAYBILL_BIND", "WAYBILL_DOMAIN", "SECRETS_DIR")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def started(monkeypatch: pytest.MonkeyPatch, **environment: str) -> HttpSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings(SigningSettings).http


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HOST": "127.0.0.1"},
        {"HOST": "::1"},
        {"HOST": "localhost"},
        {"HOST": "0.0.0.0", "WAYBILL_BIND": "127.0.0.1"},  # noqa: S104  # as in a container
        {"WAYBILL_BIND": "127.0.0.53", "WAYBILL_DOMAIN": "localhost"},
        {"WAYBILL_BIND": "[::1]", "WAYBILL_DOMAIN": ""},
    ],
)
def test_development_starts_on_loopback_only(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    started(monkeypatch, ENV="development", **environment)


OPEN = [
    {"HOST": "0.0.0.0"},  # noqa: S104
    {"HOST": "::"},
    {"HOST": "10.0.0.7"},
    {"HOST": "db.example.com"},
    {"WAYBILL_BIND": "0.0.0.0"},  # noqa: S104
    {"WAYBILL_BIND": "192.168.1.4"},
    {"WAYBILL_DOMAIN": "waybill.example.com"},
    {"WAYBILL_BIND": "127.0.0.1", "WAYBILL_DOMAIN": "localhost.example.com"},
]


@pytest.mark.parametrize("environment", OPEN)
def test_exposed_development_does_not_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        started(monkeypatch, ENV="development", **environment)
    (fault,) = refusal.value.faults
    assert "set ENV=production" in fault
    assert any(f"{name}={value}" in fault for name, value in environment.items())


@pytest.mark.parametrize("environment", OPEN)
def test_production_may_be_exposed(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    started(monkeypatch, ENV="production", **environment)


def test_exposed_development_has_no_signing_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first job of the containers fails, so its dependents do not start either."""
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("WAYBILL_BIND", "0.0.0.0")  # noqa: S104
    with pytest.raises(SystemExit):
        main([])
    assert "set ENV=production" in capsys.readouterr().err
