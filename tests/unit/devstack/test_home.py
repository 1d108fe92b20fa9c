import os
import shutil
import stat
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.fernet import Fernet

from devstack.errors import AlreadyRunningError, PrerequisiteError
from devstack.home.directory import Home


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    home = Home(tmp_path)

    secret = home.jwt_secret()

    assert len(secret) >= 43  # 256 bits
    assert home.jwt_secret() == secret
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600


def test_the_key_of_webhooks_is_made_once_in_the_form_that_fernet_takes(tmp_path: Path) -> None:
    home = Home(tmp_path)

    key = home.webhooks_keys()

    assert Fernet(key).decrypt(Fernet(key).encrypt(b"secret")) == b"secret"
    assert home.webhooks_keys() == key
    assert home.jwt_secret() != key
    assert stat.S_IMODE((tmp_path / "webhooks_keys").stat().st_mode) == 0o600


def test_two_homes_have_two_secrets(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in "ab"]
    for home in homes:
        home.prepare()

    assert homes[0].jwt_secret() != homes[1].jwt_secret()
    assert homes[0].webhooks_keys() != homes[1].webhooks_keys()


def test_a_full_disk_is_reported_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 5 << 20))

    with pytest.raises(PrerequisiteError, match=r"^only 5 MiB free in .* set WAYBILL_HOME to another disk$"):
        Home(tmp_path).prepare()


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(PrerequisiteError, match=r"^cannot use .*/file/home: Not a directory: set WAYBILL"):
        Home(tmp_path / "file" / "home").prepare()


async def test_a_second_supervisor_is_rejected_and_names_the_first(tmp_path: Path) -> None:
    async with Home(tmp_path).locked():
        with pytest.raises(AlreadyRunningError, match=rf"in use by another stack \(pid {os.getpid()}\)"):
            async with Home(tmp_path).locked():
                pytest.fail("two supervisors in one home")


async def test_a_released_home_can_be_locked_again(tmp_path: Path) -> None:
    for _ in range(2):
        async with Home(tmp_path).locked():
            pass
