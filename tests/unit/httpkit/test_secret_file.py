"""Secret files: created once, for their owner alone, and read by the services through SECRETS_DIR."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel

from httpkit.settings import AuthSettings, weakness_of
from servicekit.settings import InvalidSettings, read_settings
from toolbox.secret_file import ensure_secret, main, random_secret


class Settings(BaseModel):
    auth: AuthSettings


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ENV", "JWT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    return tmp_path / "jwt_secret"


def test_secret_file_is_strong_private_and_stable(secret: Path) -> None:
    ensure_secret(secret, random_secret())
    first = secret.read_text()
    ensure_secret(secret, random_secret())

    assert secret.read_text() == first
    assert weakness_of(first) is None
    assert secret.stat().st_mode & 0o077 == 0
    assert list(secret.parent.iterdir()) == [secret]


def test_services_read_the_secret_file_if_the_variable_is_unset(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_secret(secret, random_secret())
    monkeypatch.setenv("JWT_SECRET", "")
    assert read_settings(Settings).auth.jwt_secret.get_secret_value() == secret.read_text()
    monkeypatch.setenv("JWT_SECRET", "0f8e2b6c4d9a7153" * 2)
    assert read_settings(Settings).auth.jwt_secret.get_secret_value() == "0f8e2b6c4d9a7153" * 2


def test_secret_file_for_another_user_is_readable_by_its_group(tmp_path: Path) -> None:
    main([str(tmp_path / "jwt_secret"), "--shared", str(tmp_path / "mongo_password")])
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"jwt_secret": 0o600, "mongo_password": 0o640}


def test_key_file_is_private_and_what_fernet_takes(tmp_path: Path) -> None:
    path = tmp_path / "webhooks_keys"
    main(["--keys", str(path)])
    key = path.read_text()
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"secret")) == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600
    main(["--keys", str(path)])
    assert path.read_text() == key


def test_secrets_are_read_from_several_directories(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = secret.parent / "others"
    others.mkdir()
    monkeypatch.setenv("SECRETS_DIR", f"{others}:{secret.parent}")
    ensure_secret(secret, random_secret())
    assert read_settings(Settings).auth.jwt_secret.get_secret_value() == secret.read_text()


def test_missing_secrets_directory_is_a_fault(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIR", f"{secret.parent}/nowhere")
    with pytest.raises(InvalidSettings) as refused:
        read_settings(Settings)
    assert refused.value.faults[0] == f"SECRETS_DIR: {secret.parent}/nowhere is not a directory"
