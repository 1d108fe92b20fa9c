"""Ids of dead letters: where they stand, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.processing.dead_letter import RecordPosition, dead_letter_id, position_of


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**18 - 1))
def test_an_id_holds_the_position_of_a_dead_letter(partition: int, offset: int) -> None:
    assert position_of(dead_letter_id(RecordPosition(partition, offset))) == (partition, offset)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dl_",
        "dl_1",
        "dl_1_",
        "dl_-1_2",
        "dl_01_2",
        "dl_1_2 ",
        "DL_1_2",
        "dl_1_2_3",
        "dl_\u0661_\u0662",
        "dl_1_" + "9" * 19,
    ],
)
def test_an_impossible_id_has_no_position(text: str) -> None:
    assert position_of(text) is None
