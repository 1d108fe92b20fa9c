"""One attempt at receivers that answer well, badly, slowly, or not at all, and at refused addresses."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme
from aiohttp import AsyncResolver
from standardwebhooks import Webhook

import webhooks.sending.guarded_session
from domain.webhooks.delivery import Attempt, AttemptError
from servicekit.clock import SystemClock
from tests.faults.matrix import Row
from tests.support.receiving.names import name_server
from tests.support.receiving.raw_receiver import (
    NO_CONTENT,
    OK,
    RawReceiver,
    Respond,
    break_off,
    hang,
    hang_up,
    raw_receiver,
    trickle,
)
from tests.support.waiting import wait_until
from webhooks.sending.address_guard import AddressGuard, parse_networks
from webhooks.sending.endpoint_test import attempt_once
from webhooks.sending.guarded_session import TooLate
from webhooks.sending.sender import Sender, SignedMessage, open_sender
from webhooks.sending.timing import Timing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105
BODY = '{"type":"shipment.created","data":{"notes":"señal"}}'.encode()
LOOPBACK = AddressGuard(parse_networks("127.0.0.0/8"))


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with open_sender(LOOPBACK, SystemClock(), timing=Timing(attempt_s=2)) as sender:
        yield sender


def message(url: str, *, secrets: tuple[str, ...] = (SECRET,)) -> SignedMessage:
    return SignedMessage(url=url, secrets=secrets, message_id="msg_1", body=BODY)


def outcome(attempt: Attempt) -> tuple[int | None, AttemptError | None]:
    return attempt.status_code, attempt.error


def headers_of(request: bytes) -> dict[str, str]:
    head, _, _ = request.decode().partition("\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.split("\r\n")[1:])


@pytest.mark.parametrize("secrets", [(SECRET,), (SECRET, OLD_SECRET)])
async def test_message_arrives_as_it_is_and_every_secret_verifies_it(
    sender: Sender, secrets: tuple[str, ...]
) -> None:
    async with raw_receiver(OK) as receiver:
        attempt = await sender.attempt(message(receiver.url(), secrets=secrets))
    assert (outcome(attempt), attempt.response) == ((200, None), "ok")
    (request,) = receiver.requests
    headers = headers_of(request)
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + BODY)
    for secret in secrets:
        Webhook(secret).verify(BODY, headers)
    assert headers["User-Agent"].startswith("Waybill-Webhooks/")
    assert headers["Content-Type"] == "application/json"
    assert "Cookie" not in headers


async def test_test_message_is_signed_and_has_a_type_of_its_own(sender: Sender) -> None:
    async with raw_receiver(NO_CONTENT) as receiver:
        attempt = await attempt_once(sender, receiver.url(), [SECRET], datetime.now(UTC))
    assert outcome(attempt) == (204, None)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert Webhook(SECRET).verify(body, headers_of(head))["type"] == "webhook.test"


@pytest.mark.parametrize("status", [100 + 1, 204 + 100, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
async def test_only_2xx_counts_and_redirects_are_not_followed(sender: Sender, status: int) -> None:
    async with raw_receiver(NO_CONTENT) as elsewhere:
        target = f"Location: {elsewhere.url()}\r\n".encode()
        response = b"HTTP/1.1 %d No\r\n%sContent-Length: 0\r\n\r\n" % (status, target)
        async with raw_receiver(response) as receiver:
            attempt = await sender.attempt(message(receiver.url()))
    assert outcome(attempt) == (status, AttemptError.STATUS)
    assert elsewhere.connections == 0


@pytest.mark.fault(Row.RECEIVERS_FAIL)
@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (hang, AttemptError.TIMED_OUT),
        (trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000), AttemptError.TIMED_OUT),
        (trickle(b"HTTP/1.1 102 Processing\r\n\r\n" * 100, every_s=0.01), AttemptError.TIMED_OUT),
        (hang_up, AttemptError.CONNECTION_LOST),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", AttemptError.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n", AttemptError.INVALID_RESPONSE),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 100, AttemptError.INVALID_RESPONSE),
    ],
    ids=["hangs", "trickles", "informs", "hangs-up", "no-http", "long-header", "informs-without-end"],
)
async def test_receiver_without_a_response_fails_the_attempt(
    sender: Sender, respond: Respond | bytes, error: AttemptError
) -> None:
    async with raw_receiver(respond) as receiver:
        attempt = await asyncio.wait_for(sender.attempt(message(receiver.url())), 10)
    assert outcome(attempt) == (None, error)
    assert len(receiver.requests) == 1


@pytest.mark.fault(Row.RECEIVERS_FAIL)
async def test_reset_connection_fails_the_attempt(sender: Sender) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with raw_receiver(reset) as receiver:
        assert outcome(await sender.attempt(message(receiver.url()))) == (None, AttemptError.CONNECTION_LOST)


@pytest.mark.fault(Row.RECEIVERS_FAIL)
async def test_refused_connection_fails_the_attempt(sender: Sender) -> None:
    async with raw_receiver(OK) as receiver:
        url = receiver.url()
    assert outcome(await sender.attempt(message(url))) == (None, AttemptError.NOT_CONNECTED)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (trickle(b"d" * 900, after=b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc"), "abc"),
        (break_off(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc"), "abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\nabc" + b"d" * 5_000_000, "abcd"),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc\xff\xfe\x00\xc3",
            "abc\ufffd",
        ),
    ],
    ids=["trickles", "breaks-off", "floods", "no-text"],
)
async def test_status_counts_whatever_its_body_is_and_a_kilobyte_of_that_is_read(
    sender: Sender, body: Respond | bytes, shown: str
) -> None:
    async with raw_receiver(body) as receiver:
        attempt = await asyncio.wait_for(sender.attempt(message(receiver.url())), 10)
    assert outcome(attempt) == (200, None)
    assert attempt.response is not None
    assert attempt.response.startswith(shown)
    assert len(attempt.response) <= 1024


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (b"HTTP/1.0 204 No Content\r\n\r\n", b"ok"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"ok"),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "señal".encode()),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"<html>\r\n\r\n</html>"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"x\r\nok"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", b"ok"),
    ],
    ids=[
        "204-1.0",
        "204-length",
        "204-chunked",
        "characters-counted",
        "no-length",
        "no-chunk",
        "after-hints",
    ],
)
async def test_status_counts_however_it_and_what_is_wrong_after_it_are_cut_into_packets(
    sender: Sender, head: bytes, rest: bytes
) -> None:
    async def apart(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await asyncio.sleep(0.05)
        writer.write(rest)

    for respond in (head + rest, break_off(head + rest), apart):
        async with raw_receiver(respond) as receiver:
            for _ in range(2):
                attempt = await sender.attempt(message(receiver.url()))
                assert attempt.error is None, attempt


async def test_compressed_response_is_not_expanded(sender: Sender) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with raw_receiver(head + bomb) as receiver:
        attempt = await sender.attempt(message(receiver.url()))
        assert headers_of(receiver.requests[0])["Accept-Encoding"] == "identity"
    assert attempt.response is not None
    assert attempt.response.encode(errors="replace")[:1] == b"\x1f"


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, lambda: "7", 7),
        (503, lambda: "120", 120),
        (503, lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True), 90),
        (503, lambda: format_datetime(datetime.now(UTC) - timedelta(days=90), usegmt=True), 0),
        (500, lambda: "7", None),
        (503, lambda: "soon", None),
        (503, lambda: "-5", None),
        (503, lambda: "9" * 5000, None),
        (503, lambda: "Fri, 31 Feb 2026 00:00:00 GMT", None),
    ],
)
async def test_retry_after_is_read_in_both_forms(
    sender: Sender, status: int, header: Callable[[], str], expected: float | None
) -> None:
    response = f"HTTP/1.1 {status} No\r\nRetry-After: {header()}\r\nContent-Length: 0\r\n\r\n"
    async with raw_receiver(response.encode()) as receiver:
        attempt = await sender.attempt(message(receiver.url()))
    assert attempt.retry_after_s == (expected if expected is None else pytest.approx(expected, abs=3))


async def test_connections_are_kept_and_one_that_the_receiver_closed_costs_no_attempt(sender: Sender) -> None:
    closing: list[asyncio.StreamWriter] = []

    async def once_per_connection(writer: asyncio.StreamWriter) -> None:
        if closing and closing[-1] is writer:
            raise ConnectionResetError  # it takes the second request of a connection, and hangs up
        closing.append(writer)
        writer.write(OK)

    async with raw_receiver(OK) as receiver:
        for _ in range(5):
            assert outcome(await sender.attempt(message(receiver.url()))) == (200, None)
        assert (receiver.connections, len(receiver.requests)) == (1, 5)
        receiver.respond = once_per_connection
        for _ in range(3):
            assert outcome(await sender.attempt(message(receiver.url()))) == (200, None)


@pytest.mark.fault(Row.RECEIVERS_FAIL)
async def test_receiver_that_is_gone_since_the_last_request_is_tried_once(sender: Sender) -> None:
    async with raw_receiver(OK) as receiver:
        url = receiver.url()
        assert outcome(await sender.attempt(message(url))) == (200, None)
    attempt = await sender.attempt(message(url))
    assert outcome(attempt) == (None, AttemptError.NOT_CONNECTED)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_refused_address_is_not_connected_to(host: str) -> None:
    async with raw_receiver(OK) as receiver, open_sender(AddressGuard(), SystemClock()) as sender:
        attempt = await sender.attempt(message(receiver.url(host)))
        secure = await sender.attempt(message(receiver.url(host, scheme="https")))
    assert outcome(attempt) == outcome(secure) == (None, AttemptError.ADDRESS_NOT_ALLOWED)
    assert receiver.connections == 0


async def test_peer_is_checked_too() -> None:
    """A socket to 0.0.0.0 is connected to loopback."""
    guard = AddressGuard(parse_networks("0.0.0.0/32"))
    async with raw_receiver(OK) as receiver, open_sender(guard, SystemClock()) as sender:
        attempt = await sender.attempt(message(receiver.url("0.0.0.0")))  # noqa: S104
        await wait_until(lambda: receiver.connections == 1)
    assert outcome(attempt) == (None, AttemptError.ADDRESS_NOT_ALLOWED)
    assert receiver.requests == []


async def test_name_whose_answer_changes_is_refused_from_then_on() -> None:
    guard = AddressGuard(parse_networks("127.0.0.2/32"))
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with (
        name_server("127.0.0.2") as names,
        raw_receiver(closing, host="0.0.0.0") as receiver,  # noqa: S104  # any address of loopback
        open_sender(
            guard, SystemClock(), open_resolver=lambda: AsyncResolver(nameservers=[f"127.0.0.1:{names.port}"])
        ) as sender,
    ):
        hook = message(receiver.url("hook.example.com"))
        assert outcome(await sender.attempt(hook)) == (200, None)
        for refused in (["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["10.0.0.1"], ["8.8.8.8"]):
            names.addresses = refused
            assert outcome(await sender.attempt(hook)) == (None, AttemptError.ADDRESS_NOT_ALLOWED)
        names.addresses = ["127.0.0.2"]
        assert outcome(await sender.attempt(hook)) == (200, None)
        names.addresses = []
        assert outcome(await sender.attempt(hook)) == (None, AttemptError.NAME_NOT_RESOLVED)
    assert (receiver.connections, len(receiver.requests)) == (2, 2)


async def test_certificate_must_be_of_the_name_and_of_a_known_authority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    known, foreign, other = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(3))
    authority.issue_cert("127.0.0.1").configure_cert(known)
    authority.issue_cert("127.0.0.9").configure_cert(other)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(foreign)
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        results = []
        async with open_sender(LOOPBACK, SystemClock()) as sender:
            for tls in (known, foreign, other):
                async with raw_receiver(NO_CONTENT, tls=tls) as receiver:
                    results.append(outcome(await sender.attempt(message(receiver.url(scheme="https")))))
    failed = (None, AttemptError.TLS_FAILED)
    assert results == [(204, None), failed, failed]


async def test_nothing_is_written_after_the_last_moment(sender: Sender) -> None:
    async with raw_receiver(OK) as receiver:
        await _fails_too_late(sender, receiver)
        assert outcome(await sender.attempt(message(receiver.url()))) == (200, None)
        await _fails_too_late(sender, receiver)
    assert len(receiver.requests) == 1


async def _fails_too_late(sender: Sender, receiver: RawReceiver) -> None:
    with pytest.raises(TooLate):
        await sender.attempt(message(receiver.url()), write_by=time.monotonic() - 0.01)


async def test_request_that_was_begun_in_time_is_not_written_too_late(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body is written by a task of its own, before which the process may be frozen."""
    late = iter([False, True])
    monkeypatch.setattr(webhooks.sending.guarded_session, "_is_late", lambda: next(late))
    async with raw_receiver(OK) as receiver:
        with pytest.raises(TooLate):
            await sender.attempt(message(receiver.url()))
        await wait_until(lambda: receiver.connections == 1)
    assert receiver.requests == []
