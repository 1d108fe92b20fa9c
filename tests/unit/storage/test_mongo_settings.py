"""MongoDB's user and password, beside its address."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from servicekit.settings import read_settings
from storage.mongo.database import open_database
from storage.settings import MongoSettings


class Settings(BaseModel):
    mongo: MongoSettings


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGO_USERNAME", "MONGO_PASSWORD", "SECRETS_DIR"):
        monkeypatch.delenv(name, raising=False)


async def test_a_password_in_a_file_is_that_of_the_user_who_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mongo_password").write_text("s:3/cr@t")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SECRETS_DIR", f"{tmp_path / 'empty'}:{tmp_path}")
    assert read_settings(Settings).mongo.credentials() == {}

    monkeypatch.setenv("MONGO_USERNAME", "waybill")
    settings = read_settings(Settings).mongo
    assert "s:3/cr@t" not in repr(settings)
    async with open_database(settings) as database:
        used = database.client.options.pool_options._credentials  # noqa: SLF001  # shown nowhere else
        assert used is not None
        assert (used.username, used.password, used.source) == ("waybill", "s:3/cr@t", "admin")


def test_a_user_without_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_USERNAME", "waybill")
    with pytest.raises(ValidationError, match="MONGO_USERNAME needs MONGO_PASSWORD"):
        MongoSettings()
