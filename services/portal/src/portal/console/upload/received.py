"""The form that sends a file: read as a whole, bounded, before it is taken apart."""

import asyncio
from typing import Final

from aiohttp import BodyPartReader, MultipartReader, StreamReader, hdrs, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict

from domain.values import value
from httpkit.request.bodies import read_body
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from portal.console.upload.limits import UPLOAD_LIMITS
from waybill.importing.times import DateOrder

FILE: Final = "file"
MULTIPART: Final = "multipart/form-data"
_FIELDS: Final = ("zone", "order", "source")
_LONGEST_FIELD: Final = 200
_AROUND_BYTES: Final = 8 * 1024


@value(kw_only=True)
class UploadedFile:
    """A file and how it is to be read."""

    content: bytes
    zone: str
    order: DateOrder
    source: str


async def read_upload(request: web.Request) -> UploadedFile:
    """Read the form with the file.

    Raises:
        ApiError: 415, 413, 408, or 400 if it is not such a form.
    """
    if request.content_type != MULTIPART:
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, f"send the form as {MULTIPART}")
    body = await read_body(request, limit=UPLOAD_LIMITS.file_bytes + _AROUND_BYTES)
    try:
        parts = await _parts_of(request.headers[hdrs.CONTENT_TYPE], body)
        zone, order, source = (_text_of(parts.get(name, b"")) for name in _FIELDS)
        return UploadedFile(content=parts[FILE], zone=zone, order=DateOrder(order), source=source)
    except (HttpProcessingError, ValueError, KeyError, RuntimeError) as error:
        raise ApiError(ErrorCode.VALIDATION_ERROR, "the form is malformed") from error


async def _parts_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """Return the fields of a form that has been received, by their names."""
    reader = MultipartReader(CIMultiDict({hdrs.CONTENT_TYPE: content_type}), _stream_of(body))
    parts = dict[str, bytes]()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None or len(parts) > len(_FIELDS):
            raise ValueError("a part is no field of this form")
        parts[part.name] = bytes(await part.read())
    return parts


def _stream_of(body: bytes) -> StreamReader:
    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), limit=len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    return stream


def _text_of(field: bytes) -> str:
    text = field.decode().strip()
    if len(text) > _LONGEST_FIELD:
        raise ValueError("a field is too long")
    return text
