"""Links: their ids, their tokens, and when they end."""

import re
from datetime import UTC, datetime, timedelta

from domain.shipments.links import (
    ENTROPY_BYTES,
    ID_PATTERN,
    expires_at,
    is_token,
    is_valid,
    link_id_from,
    link_token_from,
    link_url,
    token_hash,
)
from domain.shipments.tracking_number import TrackingNumber

END = datetime(2026, 11, 2, 14, tzinfo=UTC)


def test_a_token_carries_all_of_its_entropy_in_43_characters_of_a_url() -> None:
    tokens = {link_token_from(bytes([each]) * ENTROPY_BYTES) for each in range(256)}
    assert len(tokens) == 256
    assert all(is_token(token) for token in tokens)
    assert link_token_from(bytes(range(32))) == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_other_texts_are_no_tokens() -> None:
    token = link_token_from(bytes(ENTROPY_BYTES))
    assert not [text for text in ("", token[1:], token + "A", token + "\n", "é" * 43) if is_token(text)]


def test_the_digest_of_a_token_is_sha_256_and_any_text_has_one() -> None:
    assert token_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(token_hash("\udcff")) == 32


def test_an_id_is_20_characters_of_base32() -> None:
    assert re.fullmatch(ID_PATTERN, link_id_from(bytes(range(13))))


def test_a_link_ends_30_days_after_its_shipment_and_not_before() -> None:
    assert expires_at(None) is None
    end = expires_at(END)
    assert end == END + timedelta(days=30)
    assert is_valid(END, end - timedelta(milliseconds=1))
    assert not is_valid(END, end)
    assert is_valid(None, END + timedelta(days=4_000))


def test_the_token_is_in_the_fragment() -> None:
    number = TrackingNumber("99M-GMPWC6W7SP2G")
    assert link_url("https://rastreo.mx", number, "T") == "https://rastreo.mx/track/99M-GMPWC6W7SP2G#T"
