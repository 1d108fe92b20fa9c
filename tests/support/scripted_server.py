"""An HTTP server whose responses are written down beforehand, failures of the network included."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

LOOPBACK = "127.0.0.1"
LOGINS = ("/auth/login", "/auth/token")
TOKEN_S = 86_400

Action = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A request, as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is any
        return json.loads(self.content)

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization")


@dataclass
class ScriptedServer:
    """Server that plays its actions, one for each request; the last again and again.

    Logins are answered by the server itself, with the tokens t1, t2 and so on.

    Attributes:
        received: all requests but logins.
        token_s: lifetime of the tokens.
    """

    url: str = ""
    actions: list[Action] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    logins: list[Received] = field(default_factory=list)
    token_s: int = TOKEN_S
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, *actions: Action) -> None:
        """Play these from now on."""
        self.actions[:] = actions

    def next_action(self, request: Received) -> Action:
        with self.lock:
            if request.path in LOGINS and request.method == "POST" and not self._is_scripted_login():
                self.logins.append(request)
                token = {"token": f"t{len(self.logins)}", "expires_in": self.token_s, "token_type": "Bearer"}
                return answer(200, token)
            self.received.append(request)
            return self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]

    def _is_scripted_login(self) -> bool:
        return bool(self.actions) and getattr(self.actions[0], "for_login", False)


class Handler(BaseHTTPRequestHandler):
    """Handler of one connection."""

    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        scripted = cast("_Server", self.server).scripted
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        scripted.next_action(Received(self.command, self.path, headers, content))(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - names of the library

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    scripted: ScriptedServer

    def handle_error(self, *_args: object) -> None:
        """Say nothing of clients that went away."""


def answer(status: int, body: object = None, **headers: str) -> Action:
    """Send a response; bytes are sent as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    def act(handler: Handler) -> None:
        handler.send_response_only(status)
        for name, value in ({"content_type": "application/json"} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return act


def error(status: int, code: str, message: str = "no", **headers: str) -> Action:
    """Send an error as the API does."""
    body = {"error": code, "message": message, "status_code": status, "timestamp": "2026-01-01T00:00:00.000Z"}
    return answer(status, body, **headers)


def cut(handler: Handler) -> None:
    """Read the request, and break the connection without a response."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut_midway(handler: Handler) -> None:
    """Break the connection in the middle of a response."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"tracking_number":')
    handler.wfile.flush()
    cut(handler)


def slow(seconds: float, then: Action) -> Action:
    """Be silent for some seconds first."""

    def act(handler: Handler) -> None:
        time.sleep(seconds)
        then(handler)

    return act


def stream(*chunks: bytes) -> Action:
    """Send server-sent events, and end the stream."""

    def act(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(chunk)
            handler.wfile.flush()
        handler.close_connection = True

    return act


def broken_stream(handler: Handler) -> None:
    """Begin a stream of server-sent events, and break the connection."""
    handler.send_response_only(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.flush()
    cut(handler)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Serve on a port of its own while the context lasts."""
    with _Server((LOOPBACK, 0), Handler) as server:
        server.scripted = ScriptedServer(url=f"http://{LOOPBACK}:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.scripted
        finally:
            server.shutdown()
            thread.join()
