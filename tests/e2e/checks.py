"""Assertions on every response of a kind."""

import re

from tests.support.api import Json, Response

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ERROR_KEYS = {"error", "message", "status_code", "timestamp"}


def assert_error(response: Response, status: int, code: str, *pointers: str) -> Json:
    """Check the one body that errors have, and that `details` names exactly `pointers`."""
    assert (response.status, response.body.get("error")) == (status, code), response.text
    body: Json = response.body
    members = set(body) - {"held_until"} if code == "INVALID_TRANSITION" else set(body)
    assert members == (ERROR_KEYS | {"details"} if pointers else ERROR_KEYS)
    assert body["status_code"] == status
    assert body["message"]
    assert INSTANT.fullmatch(body["timestamp"])
    assert [detail["pointer"] for detail in body.get("details", [])] == list(pointers)
    assert all(set(detail) == {"pointer", "message"} for detail in body.get("details", []))
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["X-Request-Id"]
    return body


def assert_retry_after(response: Response) -> None:
    """Check that a response says when to retry."""
    assert int(response.headers["Retry-After"]) >= 1
