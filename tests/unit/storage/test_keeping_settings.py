"""What is deleted may not come again out of the log."""

import pytest
from pydantic import ValidationError

from storage.settings import KeepingSettings


def test_nothing_is_deleted_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVENTS_REJECTED_KEEP_DAYS", "DEAD_LETTERS_KEEP_DAYS"):
        monkeypatch.setenv(name, "")
    settings = KeepingSettings()
    assert (settings.events_rejected_keep_days, settings.dead_letters_keep_days) == (None, None)


@pytest.mark.parametrize("name", ["EVENTS_REJECTED_KEEP_DAYS", "DEAD_LETTERS_KEEP_DAYS"])
@pytest.mark.parametrize(("retention_hours", "least"), [(168, 15), (169, 16), (24, 9)])
def test_records_outlive_what_the_log_may_bring_again(
    monkeypatch: pytest.MonkeyPatch, name: str, retention_hours: int, least: int
) -> None:
    monkeypatch.setenv("KAFKA_RETENTION_HOURS", str(retention_hours))
    monkeypatch.setenv(name, str(least))
    assert least in KeepingSettings().model_dump().values()
    monkeypatch.setenv(name, str(least - 1))
    with pytest.raises(ValidationError, match=f"{name}: at least {least}"):
        KeepingSettings()
