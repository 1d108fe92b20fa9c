"""Times and words in pages, in each language."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.shipments.checkpoint import LABELS
from domain.shipments.status import Status
from portal.web.labels import checkpoint_label, filters_of, status_label
from portal.web.languages import languages
from portal.web.moments import ago, moment

AT = datetime(2026, 11, 30, 14, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Nov 30, 2026, 14:05:12 UTC"),
        ("es", "30 nov 2026, 14:05:12 UTC"),
        ("pt", "30 de nov. de 2026, 14:05:12 UTC"),
    ],
)
def test_a_moment_is_exact_for_people_and_programs(code: str, text: str) -> None:
    shown = moment("2026-11-30T08:05:12-06:00", languages()[code].locale)
    assert shown == f'<time datetime="2026-11-30T14:05:12.000Z">{text}</time>'


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(minutes=-12), ("12 minutes ago", "hace 12 minutos", "há 12 minutos")),
        (timedelta(days=-1), ("1 day ago", "hace 1 día", "há 1 dia")),
        (timedelta(days=3), ("in 3 days", "dentro de 3 días", "em 3 dias")),
    ],
)
def test_an_age_is_told_in_words(distance: timedelta, words: tuple[str, ...]) -> None:
    told = [ago(AT + distance, languages()[code].locale, now=lambda: AT) for code in ("en", "es", "pt")]
    assert tuple(told) == words


def test_every_status_and_known_checkpoint_has_words_in_every_language() -> None:
    for language in languages().values():
        words = {status: status_label(status, language) for status in Status}
        assert len(set(words.values())) == len(Status)
        assert not set(words) & set(words.values()), "the words are not the codes"
        assert [checkpoint_label(code, language) for code in LABELS] == [
            labels[language.code] for labels in LABELS.values()
        ]


def test_what_is_not_known_is_shown_as_it_is() -> None:
    filters = filters_of(languages()["es"])
    assert filters["status_label"]("lost") == "lost"
    assert filters["checkpoint_label"]("at_customs") == "at_customs"
