"""Settings: accepted and rejected values, and the messages."""

import pytest
from pydantic import BaseModel, SecretStr

from httpkit.settings import AuthSettings, HttpSettings, weakness_of
from servicekit.settings import Environment, InvalidSettings, ServiceSettings, load_settings, read_settings

STRONG = "0f8e2b6c4d9a7153" * 2


class Settings(BaseModel):
    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENV", "HOST", "PORT", "LOG_LEVEL", "INSTANCE_ID", "JWT_SECRET", "JWT_RETIRED_SECRETS"):
        monkeypatch.delenv(name, raising=False)


def test_the_tree_is_read_from_flat_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "8099", "JWT_SECRET": STRONG, "LOG_LEVEL": "debug"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(Settings)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8099)
    assert settings.auth.jwt_secret.get_secret_value() == STRONG
    assert settings.service.log_level == "debug"
    assert settings.service.env is settings.auth.env is Environment.PRODUCTION


def test_each_process_names_itself() -> None:
    hostname, _, pid = ServiceSettings().instance_id.rpartition("-")
    assert hostname
    assert pid.isdecimal()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert HttpSettings().port == 8080


def test_faults_of_all_groups_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "seventy")
    monkeypatch.setenv("ENV", "staging")
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings)
    names = [fault.partition(":")[0] for fault in refused.value.faults]
    assert names == ["ENV", "PORT", "JWT_SECRET"]


def test_a_process_with_wrong_settings_ends_with_one_line_per_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(SystemExit) as ended:
        load_settings(Settings)
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert [line.split()[1] for line in lines] == ["PORT:", "JWT_SECRET:"]


@pytest.mark.parametrize(
    "secret",
    ["short", "a" * 40, "abcabcabc" * 5, "change-me-" + STRONG, "My-Password-" + STRONG, "example" * 6],
)
def test_a_weak_secret_is_refused_outside_development(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("JWT_SECRET", secret)
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings)
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith("JWT_SECRET: ")
    assert secret not in str(refused.value)


def test_a_weak_secret_is_good_enough_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "development")
    monkeypatch.setenv("JWT_SECRET", "short")
    assert read_settings(Settings).auth.jwt_secret.get_secret_value() == "short"


def test_a_strong_secret_has_no_weakness() -> None:
    assert weakness_of(STRONG) is None


def test_retired_secrets_are_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("JWT_RETIRED_SECRETS", '{"old": "weak"}')
    with pytest.raises(InvalidSettings, match="JWT_RETIRED_SECRETS/old"):
        read_settings(Settings)


def test_malformed_json_setting_is_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("JWT_RETIRED_SECRETS", "{old}")
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings)
    assert len(refused.value.faults) == 1
    assert "jwt_retired_secrets" in refused.value.faults[0]


@pytest.mark.parametrize(("ttl_s", "is_taken"), [("2592000", True), ("2592001", False)])
def test_no_token_outlives_the_record_of_its_end(
    monkeypatch: pytest.MonkeyPatch, ttl_s: str, *, is_taken: bool
) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("JWT_TTL_S", ttl_s)
    if is_taken:
        assert read_settings(Settings).auth.jwt_ttl_s == int(ttl_s)
        return
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings)
    assert len(refused.value.faults) == 1
    assert "JWT_TTL_S" in refused.value.faults[0].upper()


def test_a_secret_does_not_show() -> None:
    settings = AuthSettings(env=Environment.PRODUCTION, jwt_secret=SecretStr(STRONG))
    assert STRONG not in repr(settings)
