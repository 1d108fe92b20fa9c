"""Claims of docs/input.md about JSON, times, texts and sizes, at the gateway; each row quotes the page."""

import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.printed_calls import ROOT

pytestmark = pytest.mark.stack

PAGE = " ".join((ROOT / "docs/input.md").read_text().split())
EVENT: dict[str, Any] = {
    "tracking_number": "99M-GMPWC6W7SP2G",
    "status": "picked_up",
    "timestamp": "2026-11-02T10:00:00-05:00",
    "source": "input-page",
}


def event(**members: object) -> bytes:
    return json.dumps(EVENT | members).encode()


def batch(size: int) -> bytes:
    return json.dumps({"events": [EVENT] * size}).encode()


ROWS = [
    ("`2026-11-02T10:00:00-05:00`", "/events", event(), 202, None),
    ("finer digits are cut", "/events", event(timestamp="2026-11-02T10:00:00.123456789Z"), 202, None),
    ("no offset", "/events", event(timestamp="2026-11-02T10:00:00"), 400, "/timestamp"),
    ("a date alone", "/events", event(timestamp="2026-11-02"), 400, "/timestamp"),
    ("a space instead of the `T`", "/events", event(timestamp="2026-11-02 10:00:00Z"), 400, "/timestamp"),
    ("unix numbers", "/events", event(timestamp=1793610000), 400, "/timestamp"),
    ("leap seconds", "/events", event(timestamp="2016-12-31T23:59:60Z"), 400, "/timestamp"),
    ("before 1970", "/events", event(timestamp="1969-12-31T23:59:59Z"), 400, "/timestamp"),
    ("more than five minutes ahead", "/events", event(timestamp="2999-01-01T00:00:00Z"), 400, "/timestamp"),
    ("either a `status` or a `checkpoint`", "/events", event(checkpoint="on_hold"), 400, "/status"),
    ("a lower-case letter", "/events", event(status=None, checkpoint="On hold"), 400, "/checkpoint"),
    ("or one of your own", "/events", event(status=None, checkpoint="ours_2"), 202, None),
    ("only with the status `delivered`", "/events", event(signed_by="Ana"), 400, "/signed_by"),
    ("Control characters (C0", "/events", event(source="a\x07"), 400, "/source"),
    ("C1", "/events", event(source="a\x85"), 400, "/source"),
    ("U+2028", "/events", event(source="a\u2028"), 400, "/source"),
    ("noncharacters are rejected", "/events", event(source="a\uffff"), 400, "/source"),
    ("notes and descriptions may have tabs and line breaks", "/events", event(notes="a\tb\nc"), 202, None),
    ("without a byte order mark", "/events", b"\xef\xbb\xbf" + event(), 400, "INVALID_JSON"),
    ("nested at most 200 deep", "/events", b"[" * 202 + b"]" * 202, 400, None),
    ("no duplicate names in an object", "/events", b'{"a":1,"a":2}', 400, "INVALID_JSON"),
    ("no NaN or Infinity", "/events", b'{"a":NaN}', 400, "INVALID_JSON"),
    ("no integer of more than 19 digits", "/events", b'{"a":12345678901234567890}', 400, "INVALID_JSON"),
    ("no unpaired surrogates", "/events", b'{"a":"\\ud800"}', 400, "INVALID_JSON"),
    ("1 to 1,000", "/events/batch", batch(0), 400, "/events"),
    ("1 to 1,000", "/events/batch", batch(1001), 400, "/events"),
    ("login 8 KiB", "/auth/login", b" " * 8_193, 413, "PAYLOAD_TOO_LARGE"),
]


@pytest.mark.parametrize(("quote", "path", "body", "status", "named"), ROWS, ids=[row[0] for row in ROWS])
async def test_the_page_is_true(
    quote: str, path: str, body: bytes, status: int, named: str | None, driver: Api
) -> None:
    assert quote in PAGE

    response = await driver.ask("POST", path, data=body, headers={"Content-Type": "application/json"})

    assert response.status == status, response.text
    assert response.text.endswith("}\n")
    if named is not None:
        assert named in response.text


async def test_up_to_a_hundred_faults_are_named_and_the_rest_is_counted(driver: Api) -> None:
    assert "up to 100, the rest is counted" in PAGE
    response = await driver.post("/events/batch", {"events": [EVENT | {"status": "lost"}] * 150})

    assert len(response.body["details"]) == 100
    assert "50" in response.body["message"]
