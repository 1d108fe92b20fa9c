"""What Docker's health check asks, of a real server."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from httpkit.server.healthcheck import is_ready


def answering(status: int) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return HTTPServer(("127.0.0.1", 0), Handler)


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_ready_is_what_the_service_says(status: int, *, ready: bool) -> None:
    with answering(status) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert is_ready(server.server_port) is ready
        thread.join()


def test_nobody_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert not is_ready(port)
