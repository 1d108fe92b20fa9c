"""Deleted documents cannot come again from the log: retention outlasts the topics."""

import pytest
from pydantic import ValidationError

from storage.settings import RetentionSettings

NAMES = ("EVENTS_REJECTED_KEEP_DAYS", "DEAD_LETTERS_KEEP_DAYS")


@pytest.mark.parametrize(("retention_hours", "days"), [(168, 30), (24, 30), (720, 38)])
def test_rejected_events_expire_by_default_and_dead_letters_do_not(
    monkeypatch: pytest.MonkeyPatch, retention_hours: int, days: int
) -> None:
    monkeypatch.setenv("KAFKA_RETENTION_HOURS", str(retention_hours))
    for name in NAMES:
        monkeypatch.setenv(name, "")
    assert list(RetentionSettings().days.values()) == [days, None]


def test_nothing_ends_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "0")
    assert list(RetentionSettings().days.values()) == [None, None]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("retention_hours", "least"), [(168, 15), (169, 16), (24, 9)])
def test_records_outlive_what_the_log_may_bring_again(
    monkeypatch: pytest.MonkeyPatch, name: str, retention_hours: int, least: int
) -> None:
    monkeypatch.setenv("KAFKA_RETENTION_HOURS", str(retention_hours))
    monkeypatch.setenv(name, str(least))
    assert least in RetentionSettings().model_dump().values()
    monkeypatch.setenv(name, str(least - 1))
    with pytest.raises(ValidationError, match=f"{name}: at least {least}"):
        RetentionSettings()
