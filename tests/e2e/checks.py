"""What every answer of a kind must look like."""

import re

from tests.support.api import Answer, Json

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ERROR_KEYS = {"error", "message", "status_code", "timestamp"}


def assert_error(answer: Answer, status: int, code: str, *pointers: str) -> Json:
    """Check the one body that errors have, and that `details` names exactly `pointers`."""
    assert (answer.status, answer.body.get("error")) == (status, code), answer.text
    body: Json = answer.body
    assert set(body) == (ERROR_KEYS | {"details"} if pointers else ERROR_KEYS)
    assert body["status_code"] == status
    assert body["message"]
    assert INSTANT.fullmatch(body["timestamp"])
    assert [detail["pointer"] for detail in body.get("details", [])] == list(pointers)
    assert all(set(detail) == {"pointer", "message"} for detail in body.get("details", []))
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Request-Id"]
    return body


def assert_retry_after(answer: Answer) -> None:
    """Check that an answer says when to come again."""
    assert int(answer.headers["Retry-After"]) >= 1
