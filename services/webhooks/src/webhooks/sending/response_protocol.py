"""Connections on which the head of a response counts, whatever follows it.

aiohttp's parser drops a response if bytes that are no HTTP arrive together with its head: the body of a 204,
or more than `Content-Length` says. Whether a receiver has confirmed would depend on how packets were cut.
"""

from functools import partial
from typing import Any, Final

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader

_END: Final = b"\r\n\r\n"
_MOST_INTERIM: Final = 16
"""Most responses of 1xx before the one that counts: a receiver could go on with them until the time is up."""


class ResponseProtocol(ResponseHandler):
    """aiohttp's protocol, which parses the head of a response apart from what follows it."""

    _has_head = False
    _interim = 0

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401  # aiohttp's, whatever they are
        """See `ResponseHandler.set_response_params`, which is called for each request."""
        self._has_head, self._interim = False, 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol.data_received`."""
        begin = 0
        for _ in range(_MOST_INTERIM + 1):
            end = data.find(_END, begin) + len(_END)
            if self._has_head or end < len(_END) or end == len(data):
                break
            super().data_received(data[begin:end])
            begin = end
        if self.exception() is None:
            super().data_received(data[begin:])

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take a response that was parsed."""
        code = data[0].code
        if not 100 <= code < 200 or code == 101:  # noqa: PLR2004
            self._has_head = True
        elif self._interim < _MOST_INTERIM:
            self._interim += 1
        else:
            self._refuse()
            return
        super().feed_data(data, size)

    def _refuse(self) -> None:
        self._has_head = True
        self.set_exception(HttpProcessingError(message="too many interim responses"))
        if self.transport is not None:
            self.transport.close()


class ResponseConnector(TCPConnector):
    """Connector whose connections are `ResponseProtocol`s."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # aiohttp's
        """See `TCPConnector`."""
        super().__init__(**options)
        self._factory = partial(ResponseProtocol, loop=self._loop)  # type: ignore[assignment]  # invariant
