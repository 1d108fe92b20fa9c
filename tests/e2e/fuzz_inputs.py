"""Seeded inputs for the fuzz test: requests as bytes, from nearly valid to no HTTP at all."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from domain.shipments.tracking_number import ENTROPY_BYTES, tracking_number_from
from tests.e2e.traffic import event_body, shipment_body
from tests.support.api import Json
from tests.support.builders import NUMBER

WRITES = ("/events", "/events/batch", "/shipments")
READS = ("/shipments", f"/shipments/{NUMBER}", f"/shipments/{NUMBER}/events", "/dead-letters", "/auth/users")
OTHERS = ("/events/evt_1", "/health", "/openapi.json", "/docs", "/nothing", "/auth/login", "/auth/token")
QUERY_NAMES = ("limit", "offset", "status", "client_id", "cursor", "created_from", "updated_to", "x", "$ne")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
ODD_VALUES: tuple[object, ...] = (
    *(None, True, 0, -0.0, -1, 1e308, 2**63, 10**40, float("nan"), float("inf"), [], [[]], {}, {"$gt": ""}),
    *("", " ", "a\0b", "\u2028", "\ufffe", "$ne", "x" * 5000, "api", "created", "99M-000000000001"),
    *("2026-11-02T10:00:00", "2026-11-02", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59-14:00"),
    *("\U0001f69a", "../..", "%00", "' OR 1=1 --"),
)
ODD_BYTES = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"NaN", b"-Infinity"),
    *(b'"', b"{", b"}", b"[" * 300, b"]", b",", b":", b"\n", b"9" * 5000, b"1e999", b" " * 1000),
    b'"status":"delivered",',
)
HEADERS = (
    ("Accept", ("text/html", "application/json;q=0", "*/*;q=0.001", ",;=", "application/*", "a/b" * 500)),
    ("Content-Type", ("text/plain", "application/x-ndjson", "application/json; charset=latin1", ";", "é")),
    ("Content-Encoding", ("gzip", "identity", "br, zstd", "")),
    ("Authorization", ("Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer " + "x" * 9000, "")),
    ("Prefer", ("wait=1", "wait=-1", "handling=lenient", 'handling="lenient"', "wait=9" * 99, "=,;", '"')),
    ("Idempotency-Key", ("x", "", "é", '"quoted"', "x" * 300)),
    ("If-None-Match", ('"1"', 'W/"1"', "*", '"', ",,,")),
    ("traceparent", ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-x", "ff-0-0-0")),
    ("X-Request-Id", ("a b", "x" * 200, "<a>", "ok-1")),
    ("X-Forwarded-For", ("1.2.3.4", "::1, unknown", "x" * 500)),
    ("Expect", ("100-continue",)),
    ("Cookie", ("a=b; " * 100,)),
    ("Range", ("bytes=0-1", "bytes=-")),
    ("Accept-Encoding", ("gzip", "zstd", "*;q=0", "identity;q=0")),
    ("X-HTTP-Method-Override", ("DELETE",)),
)


@dataclass(frozen=True, slots=True)
class Input:
    """One request: `direct` bypasses the gateway to a service; `is_http` says that it is well-formed."""

    request: bytes
    is_http: bool = True
    direct: bool = False


class Inputs:
    """An endless series of inputs, the same for the same seed."""

    def __init__(self, seed: int, token: str) -> None:
        self._rng = random.Random(seed)  # noqa: S311  # a test's inputs
        self._token = token
        kinds: tuple[tuple[Callable[[], Input], int], ...] = (
            (self._spoiled_json, 50),
            (self._spoiled_bytes, 20),
            (self._odd_headers, 12),
            (self._odd_target, 14),
            (self._no_http, 4),
        )
        self._kinds = [kind for kind, weight in kinds for _ in range(weight)]

    def __iter__(self) -> Iterator[Input]:
        while True:
            yield self._rng.choice(self._kinds)()

    def _spoiled_json(self) -> Input:
        path = self._rng.choice(WRITES)
        body = self._good(path)
        for _ in range(self._rng.choice((0, 1, 1, 1, 2, 5))):
            self._spoil(body)
        return Input(self._request("POST", path, json.dumps(body).encode()))

    def _spoiled_bytes(self) -> Input:
        path = self._rng.choice((*WRITES, f"/shipments/{NUMBER}"))
        body = bytearray(json.dumps(self._good(path)).encode())
        for _ in range(self._rng.randint(1, 3)):
            at = self._rng.randrange(len(body))
            odd = self._rng.choice(ODD_BYTES)
            body[at : at + self._rng.choice((0, 0, 1, len(odd), 50))] = odd
        return Input(self._request("PATCH" if path not in WRITES else "POST", path, bytes(body)))

    def _odd_headers(self) -> Input:
        path = self._rng.choice((*WRITES, *READS))
        method = "POST" if path in WRITES and self._rng.random() < 0.8 else "GET"
        body = json.dumps(self._good(path)).encode() if method == "POST" else b""
        picked = self._rng.sample(HEADERS, self._rng.randint(1, 3))
        return Input(
            self._request(method, path, body, **{name: self._rng.choice(values) for name, values in picked})
        )

    def _odd_target(self) -> Input:
        method = self._rng.choice(METHODS) if self._rng.random() < 0.4 else "GET"
        # A login is charged to all who share this address: a handful will do.
        paths = READS if self._rng.random() < 0.8 else OTHERS[: 7 if self._rng.random() < 0.1 else 5]
        path = self._rng.choice(paths)
        if self._rng.random() < 0.3:
            path += quote(self._text(), safe="/$.~")
        if self._rng.random() < 0.7:
            pairs = (f"{self._rng.choice(QUERY_NAMES)}={quote(self._text(), safe='$[]')}" for _ in range(3))
            path += "?" + "&".join(pairs)
        return Input(self._request(method, path, b""))

    def _no_http(self) -> Input:
        request = bytearray(self._request("POST", "/events", b"{}"))
        for _ in range(self._rng.randint(1, 4)):
            at = self._rng.randrange(len(request) - 1)
            request[at : at + self._rng.choice((0, 1, 1, 20))] = self._rng.randbytes(self._rng.randint(1, 5))
        return Input(bytes(request) + b"\r\n\r\n", is_http=False, direct=self._rng.random() < 0.5)

    def _good(self, path: str) -> Json:
        if path.endswith("/batch"):
            return {
                "events": [event_body(self._number(), "picked_up") for _ in range(self._rng.randint(1, 5))]
            }
        return event_body(self._number(), "picked_up", notes="ok") if path == "/events" else shipment_body()

    def _number(self) -> str:
        return tracking_number_from(self._rng.randbytes(ENTROPY_BYTES))

    def _spoil(self, value: Json) -> None:
        """Change, drop or add a field, somewhere."""
        place: Json | list[object] = value
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                return
            key = self._rng.choice(keys)
            inner = place[key]  # type: ignore[index, call-overload]  # whichever it is
            if not isinstance(inner, dict | list) or self._rng.random() < 0.3:
                break
            place = inner
        chance = self._rng.random()
        if chance < 0.7:
            place[key] = self._rng.choice(ODD_VALUES)  # type: ignore[index, call-overload]
        elif chance < 0.85:
            del place[key]  # type: ignore[arg-type]
        elif isinstance(place, dict):
            place[self._text()] = self._rng.choice(ODD_VALUES)

    def _text(self) -> str:
        pool = "aZ09$.{}[]\"'/\\%~&=?#;:,*\0\n\x7f\u0085é\u2028\ufffe\U0001f69a -_"
        if self._rng.random() < 0.3:
            return str(
                self._rng.choice((0, -1, 1, 100, 101, 10**30, "NaN", "true", "in_transit,created", "$where"))
            )
        return "".join(self._rng.choice(pool) for _ in range(self._rng.randint(0, 12)))

    def _request(self, method: str, target: str, body: bytes, **headers: str) -> bytes:
        sent = {"Host": "waybill", "Authorization": f"Bearer {self._token}"}
        if body:
            sent["Content-Type"] = "application/json"
        sent |= headers
        sent["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        return "\r\n".join(lines).encode() + body
