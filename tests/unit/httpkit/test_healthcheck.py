"""Docker's health check, on a real server."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from httpkit.server.healthcheck import is_ready


def ping_check(status: int) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return HTTPServer(("127.0.0.1", 0), Handler)


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_health_check_reflects_the_readiness_of_the_service(status: int, *, ready: bool) -> None:
    with ping_check(status) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert is_ready(server.server_port) is ready
        thread.join()


def test_health_check_fails_without_a_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert not is_ready(port)
