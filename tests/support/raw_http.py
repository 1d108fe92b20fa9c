"""HTTP over a bare connection: any bytes out, any response in, and no client between that corrects them."""

import asyncio
import re
from dataclasses import dataclass

from tests.support.api import decoded

ANSWER_WITHIN_S = 15.0
UNSURE_WITHIN_S = 1.0
LARGEST_LINE = 1 << 20

_STATUS = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})[ \r]")  # aiohttp answers in the version it was asked in
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """One connection, reopened when the other side has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes, *, is_last: bool = False) -> RawResponse | None:
        """Send bytes and return the response; None if the other side hangs up, or waits for the rest.

        Args:
            request: what is sent, and nothing besides.
            is_last: it may be half a request, so no answer is waited for long, and the connection is left.

        Raises:
            TimeoutError: there is no answer within `ANSWER_WITHIN_S`.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=LARGEST_LINE)
        reader, writer = self._streams
        response: RawResponse | None = None
        try:
            async with asyncio.timeout(UNSURE_WITHIN_S if is_last else ANSWER_WITHIN_S):
                writer.write(request)
                response = await _read(reader, is_head=request.startswith(b"HEAD "))
        except (ConnectionError, asyncio.IncompleteReadError):
            response = None  # the other side hung up, which is an answer too
        except TimeoutError:
            await self.close()
            if not is_last:
                raise
        if is_last or response is None or response.headers.get("connection", "").lower() == "close":
            await self.close()
        return response

    @property
    def is_open(self) -> bool:
        """Whether the connection is still open for requests."""
        return self._streams is not None and not self._streams[0].at_eof()

    async def close(self) -> None:
        """Close; the next exchange reconnects."""
        if self._streams is None:
            return
        _, writer = self._streams
        self._streams = None
        writer.close()
        try:
            await writer.wait_closed()
        except ConnectionError:
            return


async def _read(reader: asyncio.StreamReader, *, is_head: bool) -> RawResponse:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _STATUS.match(head)
    assert found is not None, f"no HTTP: {head[:200]!r}"
    status = int(found[1])
    if status < 200:  # 100 Continue
        return await _read(reader, is_head=is_head)
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:-2]]
    headers = {name.decode().lower(): value.strip().decode("latin-1") for name, _, value in lines}
    if is_head or status in _BODILESS:
        return RawResponse(status, headers, b"")
    return RawResponse(
        status, headers, decoded(await _body(reader, headers), headers.get("content-encoding"))
    )


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        chunks = []
        while size := int(await reader.readline(), 16):
            chunks.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(chunks)
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()
