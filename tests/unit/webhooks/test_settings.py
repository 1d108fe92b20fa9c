"""Settings of webhooks: keys of secrets and networks."""

from base64 import urlsafe_b64encode
from ipaddress import ip_network

import pytest

from servicekit.settings import InvalidSettings, read_settings
from webhooks.settings import Settings

KEY, OLDER = (urlsafe_b64encode(bytes([byte] * 32)).decode() for byte in (1, 2))


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "0123456789abcdef0123456789abcdef")


def test_keys_and_networks_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOKS_KEYS", f"{KEY}, {OLDER}")
    monkeypatch.setenv("WEBHOOKS_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
    settings = read_settings(Settings).webhooks
    assert settings.key_list() == (KEY, OLDER)
    assert settings.allowed_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("WEBHOOKS_KEYS", "", "WEBHOOKS_KEYS: Field required"),
        ("WEBHOOKS_KEYS", " , ", "WEBHOOKS_KEYS: at least one key"),
        ("WEBHOOKS_KEYS", f"{KEY},short", "WEBHOOKS_KEYS: key 2 is not 32 bytes"),
        ("WEBHOOKS_ALLOWED_NETWORKS", "10.0.0.1/8", "WEBHOOKS_ALLOWED_NETWORKS: 10.0.0.1/8 has host bits"),
    ],
)
def test_faults_name_their_setting_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv("WEBHOOKS_KEYS", KEY)
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as raised:
        read_settings(Settings)
    [line] = raised.value.faults
    assert line.startswith(fault)
    assert KEY not in line
