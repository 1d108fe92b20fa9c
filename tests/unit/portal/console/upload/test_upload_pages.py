"""Pages of the upload until something is sent."""

import io
import re

import pytest
from aiohttp import FormData

from portal.console.upload.carried import pack, unpack
from portal.console.upload.limits import UPLOAD_LIMITS
from tests.unit.portal.console.conftest import Console
from waybill.importing.tables import Table

UPLOAD = "/console/upload"
CSV = "número,tracking_number,status,timestamp,source\n1,99M-1,picked_up,30/11/2026 14:05,<b>\n"


async def upload(operator: Console, content: bytes, **fields: str) -> tuple[int, str]:
    form = FormData({"zone": "America/Mexico_City", "order": "dmy", "source": "", **fields})
    form.add_field("file", io.BytesIO(content), filename="scans.csv", content_type="text/csv")
    headers = {"Origin": operator.origin}
    response = await operator.client.post(UPLOAD, data=form, headers=headers, allow_redirects=False)
    return response.status, await response.text()


async def test_the_first_rows_are_shown_as_they_are_understood(operator: Console) -> None:
    status, page = await upload(operator, CSV.encode("cp1252"))
    assert status == 200
    assert '<time datetime="2026-11-30T20:05:00.000Z">' in page
    assert "&lt;b&gt;" in page
    assert "Send one event" in page
    assert re.search(r"Columns not read</dt><dd>número<", page)
    [carried] = re.findall(r'name="carried" value="([^"]+)"', page)
    assert unpack(carried).rows == (("1", "99M-1", "picked_up", "30/11/2026 14:05", "<b>", "", ""),)


@pytest.mark.parametrize(
    ("content", "fields", "status", "words"),
    [
        (b"", {}, 422, "no rows"),
        (b"PK\x03\x04", {}, 422, "no file that can be read"),
        (CSV.encode(), {"zone": "Mars/Olympus"}, 422, "no time zone of this name"),
        (CSV.encode(), {"order": "ydm"}, 400, "malformed"),
        (CSV.encode(), {"source": "x" * 300}, 400, "malformed"),
        (CSV.encode(), {"more": "x", "again": "y"}, 400, "malformed"),
        (b"x" * (UPLOAD_LIMITS.file_bytes + 10_000), {}, 413, "PAYLOAD_TOO_LARGE"),
        (
            b"tracking_number,status\n99M-1,picked_up\n",
            {},
            200,
            "<code>timestamp</code>, <code>source</code>",
        ),
    ],
)
async def test_a_file_that_cannot_be_sent_says_why(
    operator: Console, content: bytes, fields: dict[str, str], status: int, words: str
) -> None:
    answered, page = await upload(operator, content, **fields)
    assert (answered, words in page) == (status, True), page
    assert "Send one event" not in page


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: y\r\n\r\n1\r\n--x--"]
)
async def test_a_form_of_another_shape_is_rejected(operator: Console, body: bytes) -> None:
    headers = {"Origin": operator.origin, "Content-Type": "multipart/form-data; boundary=x"}
    response = await operator.client.post(UPLOAD, data=body, headers=headers)
    assert response.status == 400
    plain = await operator.post(UPLOAD, {"zone": "UTC"})
    assert plain.status == 415


async def test_the_result_is_a_file_that_spreadsheets_read(operator: Console) -> None:
    table = Table(("status", "waybill_error"), (("lost", "must be one of …"),))
    response = await operator.post(f"{UPLOAD}/result", {"carried": pack(table)})
    assert response.headers["Content-Disposition"] == 'attachment; filename="waybill-result.csv"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert await response.read() == "\ufeffstatus,waybill_error\r\nlost,must be one of …\r\n".encode()


@pytest.mark.parametrize("path", ["result", "part"])
async def test_what_no_page_has_carried_is_rejected(operator: Console, path: str) -> None:
    fields = {"carried": "AAAA"} | ({"zone": "UTC", "order": "ymd"} if path == "part" else {})
    response = await operator.post(f"{UPLOAD}/{path}", fields)
    assert (response.status, "begin again" in await response.text()) == (400, True)
