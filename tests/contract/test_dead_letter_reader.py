"""`DeadLetterReader`: dead letters, newest first."""

from datetime import timedelta

import pytest

from domain.ports.core import Document
from domain.ports.queries import DeadLetterFilter, Period, Window
from domain.processing.dead_letter import DeadLetterState
from tests.contract.walking import walked
from tests.contract.writing import Storage
from tests.support.builders import NOON, dead_letter, number

STATES = list(DeadLetterState)
LETTERS: list[Document] = [
    dead_letter(
        offset,
        reason="unreadable" if offset % 2 else "unprocessable",
        state=STATES[offset % 3],
        tracking_number=number(offset % 3) if offset else None,
        recorded_at=NOON + timedelta(minutes=offset // 2),
    )
    for offset in range(6)
]
NEWEST_FIRST = [5, 4, 3, 2, 1, 0]


@pytest.fixture(autouse=True)
async def letters(storage: Storage) -> None:
    await storage.put_dead_letters(LETTERS)


async def test_a_dead_letter_is_shown_as_it_was_written(storage: Storage) -> None:
    for letter in LETTERS:
        assert await storage.dead_letters.get(letter["id"]) == letter
    assert await storage.dead_letters.get("dl_0_99") is None


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (DeadLetterFilter(), NEWEST_FIRST),
        (DeadLetterFilter(reason="unreadable"), [5, 3, 1]),
        (DeadLetterFilter(tracking_number=number(1)), [4, 1]),
        (DeadLetterFilter(state=DeadLetterState.DISCARDED), [5, 2]),
        (DeadLetterFilter(state=DeadLetterState.OPEN, reason="unreadable"), [3]),
        (DeadLetterFilter(reason="unreadable", tracking_number=number(1)), [1]),
        (DeadLetterFilter(recorded=Period(start=NOON + timedelta(minutes=1))), [5, 4, 3, 2]),
        (DeadLetterFilter(recorded=Period(end=NOON + timedelta(minutes=1))), [1, 0]),
        (DeadLetterFilter(reason="bewitched"), []),
    ],
)
async def test_filters_and_walks(storage: Storage, matching: DeadLetterFilter, expected: list[int]) -> None:
    page = await storage.dead_letters.page(matching, Window(limit=100))
    assert [letter["offset"] for letter in page.data] == expected
    assert (page.total, page.last) == (len(expected), None)
    letters = await walked(lambda window: storage.dead_letters.page(matching, window), total=len(expected))
    assert [letter["offset"] for letter in letters] == expected
