"""Malformed HTTP gets the error body, and leaves no traceback."""

import json

import pytest
from structlog.testing import capture_logs

from httpkit.middleware.http_metrics import new_registry
from httpkit.server.app_server import build_app, serving
from httpkit.server.health import Health
from tests.support.raw_http import RawConnection
from tests.unit.httpkit.conftest import HTTP


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xfe\xfd\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_malformed_http_gets_the_error_body(sent: bytes) -> None:
    app = build_app(HTTP, [], health=Health({}), registry=new_registry("test"))
    with capture_logs() as logs:
        async with serving(app, HTTP) as runner:
            host, port = runner.addresses[0]
            connection = RawConnection(host, port)
            response = await connection.exchange(sent)
            await connection.close()
    assert response is not None
    assert 400 <= response.status < 500
    assert set(json.loads(response.body)) == {"error", "message", "status_code", "timestamp"}
    assert not [line for line in logs if line["log_level"] in ("warning", "error")]
