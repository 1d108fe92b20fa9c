"""A receiver that answers with any bytes, at any pace, or not at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class RawReceiver:
    """A server on loopback.

    Attributes:
        requests: each as it came: head and body.
        connections: number of connections accepted.
        respond: what it does with each request; the connection is closed if it raises `ConnectionError`.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.serving: set[asyncio.Task[None]] = set()
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0

    def url(self, host: str = "127.0.0.1", *, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError), closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                self.requests.append(head + await reader.readexactly(length))
                await self.respond(writer)


@asynccontextmanager
async def raw_receiver(
    respond: Respond | bytes, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawReceiver]:
    """Run a receiver that responds with these bytes, or as told."""
    receiver = RawReceiver(respond if callable(respond) else _writes(respond))
    server = await asyncio.start_server(receiver.accept, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in receiver.serving:
            task.cancel()
        await asyncio.gather(*receiver.serving, return_exceptions=True)


def _writes(response: bytes) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return respond


async def hang(_writer: asyncio.StreamWriter) -> None:
    """Take the request, and never answer."""
    await asyncio.Event().wait()


async def hang_up(_writer: asyncio.StreamWriter) -> None:
    """Take the request, and close the connection."""
    raise ConnectionResetError


def break_off(response: bytes) -> Respond:
    """Return a receiver's behaviour: `response`, and the end of the connection."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()
        raise ConnectionResetError

    return respond


def trickle(response: bytes, *, after: bytes = b"", every_s: float = 0.05) -> Respond:
    """Return a receiver's behaviour: one byte of `response` at a time, after others at once."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        for byte in response:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every_s)

    return respond
