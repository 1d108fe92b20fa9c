"""`make clean-data`: a home's data is deleted after it was listed; nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.home.directory import Home

MADE = ("mongod", "mongod-2", "redis", "kafka", "kafka-2", "gateway", "logs")
FOREIGN = ("package.json", "stack.json.old", "kafka-notes")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in (*MADE, "backups", "photographs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x" * 1_000_000)
    for name in ("ports.json", "stack.json", "jwt_secret", "webhooks_keys", *FOREIGN):
        (tmp_path / name).touch()
    return tmp_path


def clean_data(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "devstack", "clean-data", *arguments),
        env={**os.environ, "WAYBILL_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_data_is_named_and_deleted_and_what_is_no_data_stays(home: Path) -> None:
    ended = clean_data(home, "--yes")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(f"  {name}" in ended.stdout for name in MADE)
    assert "mongod                 1.0 MB" in ended.stdout
    assert {path.name for path in home.iterdir()} == {"backups", "photographs", *FOREIGN}
    assert clean_data(home, "--yes").stdout == f"no data in {home}\n"


def test_nothing_is_deleted_without_confirmation(home: Path) -> None:
    ended = clean_data(home)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "--yes" in ended.stderr
    assert (home / "mongod" / "file").exists()


async def test_nothing_is_deleted_under_a_running_stack(home: Path) -> None:
    async with Home(home).locked():
        ended = clean_data(home, "--yes")
    assert ended.returncode == 1
    assert f"in use by another stack (pid {os.getpid()})" in ended.stderr
    assert (home / "mongod" / "file").exists()
