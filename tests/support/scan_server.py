"""A local server that takes batches of scans as Waybill does, and fails as a test says.

The tests of the outbox need a network that fails at a chosen moment, which no real Waybill does. What a real
one answers is tried by `tests/e2e/test_client_outbox.py`.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """How one request is answered instead.

    Attributes:
        status: of the answer; 0 to hang up without one.
        body: JSON, or the text of a page.
        accepts: whether the scans are accepted nevertheless, as when only the answer is lost.
        headers: beside those of every answer.
    """

    status: int = 0
    body: Mapping[str, Any] | str = ""
    accepts: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, code: str, details: Sequence[Mapping[str, str]] = (), **headers: str) -> Fault:
    """Return an answer as Waybill's errors are."""
    body = {
        "error": code,
        "message": "as scripted",
        "status_code": status,
        "timestamp": "2026-11-02T00:00:00Z",
    }
    return Fault(status, {**body, "details": list(details)} if details else body, headers=headers)


HANGS_UP = Fault()
LOSES_THE_ANSWER = Fault(accepts=True)


@dataclass
class ScanServer:
    """The server's address and memory.

    Attributes:
        url: its address.
        arrived: every event of an accepted line, in the order of arrival, repeated ones too.
        requests: number of batches.
        faults: answers to the next batches, first to last.
        refuses: names the problem of an event, or None: then it is accepted.
        ahead_s: how far its clock is ahead.
        on_batch: called with each batch before it is answered.
    """

    url: str = ""
    arrived: list[Event] = field(default_factory=list)
    requests: int = 0
    faults: list[Fault] = field(default_factory=list)
    refuses: Callable[[Event], str | None] = lambda _event: None
    ahead_s: float = 0.0
    on_batch: Callable[[list[Event]], None] = lambda _events: None

    def first_arrivals(self, number: str) -> list[str]:
        """Return the times of a shipment's events in the order in which they arrived first."""
        mine = [event["timestamp"] for event in self.arrived if event["tracking_number"] == number]
        return list(dict.fromkeys(mine))

    def answer(self, events: list[Event]) -> Fault:
        """Judge a batch."""
        self.requests += 1
        self.on_batch(events)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.accepts:
            return fault
        verdicts = [self._verdict(index, event) for index, event in enumerate(events)]
        refused = [verdict for verdict in verdicts if verdict["status"] == "rejected"]
        if len(refused) == len(verdicts):
            details = [detail for verdict in refused for detail in verdict["details"]]
            return error(400, "VALIDATION_ERROR", details[:100])
        return fault or Fault(202, _body_of(verdicts))

    def _verdict(self, index: int, event: Event) -> Event:
        problem = self.refuses(event)
        if problem is None:
            self.arrived.append(event)
            return {"index": index, "event_id": f"evt_{event['tracking_number']}", "status": "queued"}
        details = [{"pointer": f"/events/{index}/source", "message": problem}]
        return {"index": index, "status": "rejected", "error": "VALIDATION_ERROR", "details": details}


def _body_of(verdicts: Sequence[Event]) -> Event:
    queued = sum(verdict["status"] == "queued" for verdict in verdicts)
    return {"received": len(verdicts), "queued": queued, "message": "as scripted", "events": verdicts}


@contextmanager
def scan_server() -> Iterator[ScanServer]:
    """Run the server on loopback."""
    memory = ScanServer()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(memory)) as server:
        memory.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield memory
        finally:
            server.shutdown()
            thread.join()


def _handler_of(memory: ScanServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/auth/"):
                self._send(200, {"token": "a.b.c", "expires_in": 86_400, "token_type": "Bearer"}, {})
                return
            fault = memory.answer([json.loads(line) for line in body.splitlines()])
            if fault.status:
                self._send(fault.status, fault.body, fault.headers)
            else:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, status: int, body: Mapping[str, Any] | str, headers: Mapping[str, str]) -> None:
            is_page = isinstance(body, str)
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(raw)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + memory.ahead_s, usegmt=True)

        def log_message(self, *_args: object) -> None:
            """Stay quiet."""

    return Handler
