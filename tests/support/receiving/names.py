"""A name server on loopback whose answers a test changes."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

_HEADER_BYTES = 12
_TYPE_A = 1
_POINTER_TO_NAME = b"\xc0\x0c"


class NameServer(asyncio.DatagramProtocol):
    """Answers every question with `addresses` (IPv4), which nobody may keep.

    Attributes:
        port: where it listens.
        questions: number of questions for IPv4 addresses.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.port = 0
        self.questions = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", _HEADER_BYTES) + 5
        (kind,) = struct.unpack("!H", data[end - 4 : end - 2])
        records = [_record(address) for address in self.addresses] if kind == _TYPE_A else []
        self.questions += kind == _TYPE_A
        header = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(records), 0, 0)
        assert self._transport is not None
        self._transport.sendto(header + data[_HEADER_BYTES:end] + b"".join(records), addr)


def _record(address: str) -> bytes:
    return _POINTER_TO_NAME + struct.pack("!HHIH", _TYPE_A, 1, 0, 4) + socket.inet_aton(address)


@asynccontextmanager
async def name_server(*addresses: str) -> AsyncIterator[NameServer]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(addresses), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
