"""A stand-in for Waybill with scripted responses, which records its requests."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A received request."""

    method: str
    path: str
    body: Json | None
    token: str | None
    headers: Mapping[str, str]


@dataclass
class StandIn:
    """Responds in the order of `responses`, after it has returned a token."""

    url: str = ""
    responses: deque[tuple[int, Json | bytes]] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)

    def respond(self, asked: Asked) -> tuple[int, Json | bytes]:
        if asked.path.endswith(("/auth/login", "/auth/token")):
            return 200, {"token": "t", "expires_in": 86_400, "token_type": "Bearer"}
        self.asked.append(asked)
        return self.responses.popleft()


def page(*items: Json, next_cursor: str | None = None) -> tuple[int, Json]:
    """Return a page of a list."""
    place = {"total": len(items), "limit": 100, "offset": 0, "has_next": next_cursor is not None}
    return 200, {"data": list(items), "pagination": place | {"next_cursor": next_cursor}}


def refusal(status: int, code: str, message: str, **more: Any) -> tuple[int, Json]:  # noqa: ANN401  # JSON
    """Return the body of an error."""
    body = {"error": code, "message": message, "status_code": status, "timestamp": "2026-11-02T17:00:00.000Z"}
    return status, body | more


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Listen on loopback."""
    waybill = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            raw_body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_json = self.headers.get_content_type() == "application/json"
            body = json.loads(raw_body) if raw_body and is_json else None
            token = self.headers.get("Authorization")
            asked = Asked(self.command, self.path, body, token, dict(self.headers.items()))
            status, response = waybill.respond(asked)
            raw = response if isinstance(response, bytes) else json.dumps(response).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            if status == 302:
                self.send_header("Location", "/elsewhere")
            if status == 503:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(raw)

        do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _handle  # noqa: N815  # the names that the base class looks for

        def log_message(self, *_args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        waybill.url = f"http://127.0.0.1:{server.server_port}"
        yield waybill
        server.shutdown()
        thread.join()
