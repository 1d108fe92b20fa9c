"""Tracking numbers: their form, their check character, and how they are made."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidTrackingNumber
from domain.shipments.tracking_number import (
    ALPHABET,
    ENTROPY_BYTES,
    READ_PATTERN,
    canonical,
    check_character,
    derive_tracking_number,
    is_tracking_number,
    parse_tracking_number,
    read_tracking_number,
    tracking_number_from,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SAMPLE_BODIES = ["00000000000", "0123456789A", "ZZZZZZZZZZZ", "7K3M9QX2VTB", "HJHJHJHJHJH", "00000000001"]
samples = pytest.mark.parametrize("number", [f"99M-{body}{check_character(body)}" for body in SAMPLE_BODIES])

bodies = st.text(alphabet=CROCKFORD, min_size=11, max_size=11)
names = st.text(st.characters(exclude_characters="\0"), max_size=20)  # NUL separates the parts


@given(bodies)
def test_a_body_with_its_check_character_is_a_tracking_number(body: str) -> None:
    number = f"99M-{body}{check_character(body)}"
    assert is_tracking_number(number)
    assert parse_tracking_number(number) == number


@given(bodies)
def test_a_body_has_exactly_one_check_character(body: str) -> None:
    assert sum(is_tracking_number(f"99M-{body}{last}") for last in CROCKFORD) == 1


@samples
def test_every_single_wrong_character_is_caught(number: str) -> None:
    wrong = [
        number[:place] + other + number[place + 1 :]
        for place in range(4, 16)
        for other in CROCKFORD
        if other != number[place]
    ]
    assert len(wrong) == 12 * 31
    assert not any(is_tracking_number(text) for text in wrong)


@samples
def test_every_swap_of_two_neighbours_is_caught(number: str) -> None:
    swapped = [
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for place in range(4, 15)
        if number[place] != number[place + 1]
    ]
    assert not any(is_tracking_number(text) for text in swapped)


@pytest.mark.parametrize("first", CROCKFORD)
def test_every_swap_of_any_two_characters_is_caught_at_either_end(first: str) -> None:
    for second in CROCKFORD.replace(first, ""):
        for pad in ("{}000000000", "000000000{}"):
            straight, swapped = pad.format(first + second), pad.format(second + first)
            assert check_character(straight) != check_character(swapped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "99M-",
        "99M-00000000000",  # one short
        "99M-0000000000000",  # one long
        "98M-000000000000",
        "99m-000000000000",
        "99M000000000000",
        " 99M-000000000000",
        "99M-000000000000\n",
        "99M-00000000000I",  # I, L, O and U are not in the alphabet
        "99M-L00000000000",
        "99M-O00000000000",
        "99M-U00000000000",
        "99M-7k3m9qx2vtb0",
        "99M-\u066000000000000",  # a digit, but not one of ours
    ],
)
def test_what_has_another_form_is_no_tracking_number(text: str) -> None:
    assert not is_tracking_number(text)
    with pytest.raises(InvalidTrackingNumber, match="99M-"):
        parse_tracking_number(text)


def test_the_alphabet_is_crockfords_base_32() -> None:
    assert ALPHABET == CROCKFORD


@given(st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES))
def test_all_entropy_makes_a_tracking_number(entropy: bytes) -> None:
    assert is_tracking_number(tracking_number_from(entropy))


def test_each_of_the_55_bits_makes_another_number() -> None:
    numbers = {tracking_number_from((1 << bit).to_bytes(ENTROPY_BYTES, "big")) for bit in range(55)}
    assert len(numbers) == 55


@given(names, names, st.integers(0, 100))
def test_the_same_request_derives_the_same_number(user: str, key: str, attempt: int) -> None:
    number = derive_tracking_number(user, key, attempt)
    assert is_tracking_number(number)
    assert derive_tracking_number(user, key, attempt) == number


@given(st.lists(st.tuples(names, names, st.integers(0, 9)), unique=True, max_size=20))
def test_another_user_key_or_attempt_derives_another_number(requests: list[tuple[str, str, int]]) -> None:
    assert len({derive_tracking_number(*request) for request in requests}) == len(requests)


def test_a_key_that_was_not_utf_8_on_the_wire_derives_a_number_too() -> None:
    key = b"clave-\xf1".decode(errors="surrogateescape")
    assert is_tracking_number(derive_tracking_number("client_user_001", key, 0))


def test_derived_numbers_stay_what_they_were() -> None:
    assert derive_tracking_number("client_user_001", "order-4711", 0) == "99M-YNA76XHTX9YR"
    assert derive_tracking_number("client_user_001", "order-4711", 1) == "99M-2TFDZQFMJJZA"


@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase, lambda text: text.replace("1", "l")])
def test_a_number_is_read_in_either_case(change: Callable[[str], str]) -> None:
    number = tracking_number_from(bytes(range(1, 8)))
    typed = change(number).replace("0", "o")
    assert read_tracking_number(typed) == number
    assert re.fullmatch(READ_PATTERN, typed)


@pytest.mark.parametrize("text", ["", "99m-", "99M-u0000000000", " 99M-100000000007", "99M-\u01310000000000"])
def test_what_is_no_number_in_any_case_is_refused(text: str) -> None:
    with pytest.raises(InvalidTrackingNumber):
        read_tracking_number(text)
    assert canonical(text).isascii() == text.isascii()
