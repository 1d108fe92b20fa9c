"""HTTP client sessions whose connections lead to permitted addresses only, checked where they are made.

A check of the URL, or of an own resolution of its name, says nothing about the address that the client then
connects to: the name may have another one by then. So the answers that the client itself gets are checked,
then the address of each socket before it connects, and its peer before a request is written.
"""

import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakSet

from aiohttp import AsyncResolver, ClientRequest, ClientResponse, ClientSession, DummyCookieJar
from aiohttp.abc import AbstractResolver, AbstractStreamWriter, ResolveResult
from aiohttp.connector import Connection

from webhooks.sending.address_guard import AddressGuard, AddressNotAllowed
from webhooks.sending.response_protocol import ResponseConnector

OpenResolver = Callable[[], AbstractResolver]

_KEEP_ALIVE_S: Final = 3.0
_READ_AHEAD_BYTES: Final = 1024

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


class TooLate(Exception):
    """A request was about to be written after the last moment for it."""


@dataclass(slots=True)
class RequestContext:
    """Context of one request.

    Attributes:
        write_by: last moment for writing the request, by `time.monotonic`.
        reused: set if the connection has carried another request before.
    """

    write_by: float
    reused: bool = False


REQUEST_CONTEXT: Final = ContextVar[RequestContext]("request_context")
"""Set by the task that sends a request."""


def guarded_session(
    guard: AddressGuard, *, plain: bool, open_resolver: OpenResolver = AsyncResolver
) -> ClientSession:
    """Open a session without proxies, cookies and decompression.

    Args:
        guard: decides for each address.
        plain: whether the session is for URLs without TLS.
        open_resolver: for names. By default c-ares: threads that call `getaddrinfo` are few, and the names of
            dead endpoints would occupy each for seconds.
    """

    def permits(address: str) -> bool:
        return guard.permits(address, plain=plain)

    def guarded_socket(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not permits(str(address[0])):
            raise AddressNotAllowed
        return socket.socket(family, kind, protocol)

    connector = ResponseConnector(
        limit=0,
        keepalive_timeout=_KEEP_ALIVE_S,
        use_dns_cache=False,  # c-ares has its own, which respects how long an answer may be kept
        resolver=_GuardedResolver(open_resolver(), permits),
        socket_factory=guarded_socket,
        ssl=True if plain else ssl.create_default_context(),
    )
    return ClientSession(
        connector=connector,
        request_class=_guarded_request(permits),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=_READ_AHEAD_BYTES,
        trust_env=False,
    )


class _GuardedResolver(AbstractResolver):
    """Resolver that refuses a name if any of its addresses is not permitted."""

    def __init__(self, resolver: AbstractResolver, permits: Callable[[str], bool]) -> None:
        self._resolver = resolver
        self._permits = permits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See `AbstractResolver.resolve`."""
        results = await self._resolver.resolve(host, port, family)
        if not all(self._permits(result["host"]) for result in results):
            raise AddressNotAllowed
        return results

    async def close(self) -> None:
        """See `AbstractResolver.close`."""
        await self._resolver.close()


def _guarded_request(permits: Callable[[str], bool]) -> type[ClientRequest]:
    used: WeakSet[object] = WeakSet()

    class GuardedRequest(ClientRequest):
        """Request that is written to a permitted peer only, and in time."""

        async def send(self, conn: Connection) -> ClientResponse:
            peer = None if conn.transport is None else conn.transport.get_extra_info("peername")
            if not peer or not permits(str(peer[0])):
                raise AddressNotAllowed
            if _is_late():
                raise TooLate
            if conn.protocol is not None:
                REQUEST_CONTEXT.get().reused = conn.protocol in used
                used.add(conn.protocol)
            return await super().send(conn)

        async def write_bytes(
            self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
        ) -> None:
            # It runs in a task of its own: the process may have been frozen since the request was begun.
            if _is_late() and conn.protocol is not None:
                conn.protocol.set_exception(TooLate())
                return
            await super().write_bytes(writer, conn, content_length)

    return GuardedRequest


def _is_late() -> bool:
    # Not by the loop's clock: a process that was frozen finds it stale.
    return time.monotonic() > REQUEST_CONTEXT.get().write_by
