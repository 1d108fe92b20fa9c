"""The pages of the upload: choose a file, look at its first rows, send it part by part, fetch the result."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import hdrs, web
from babel.numbers import format_decimal
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from portal.console.api import ApiUnavailable
from portal.console.frame import api, console_page
from portal.console.upload.carried import NotCarried, pack, unpack
from portal.console.upload.limits import UPLOAD_LIMITS
from portal.console.upload.preview import Preview, preview_of
from portal.console.upload.received import UploadedFile, read_upload
from portal.console.upload.results import count_sent, rejected_rows, with_result_columns, with_results
from portal.console.upload.sending import ROWS_AT_ONCE, send_rows
from portal.web.forms import read_form
from portal.web.languages import Language, language_of, message
from portal.web.rendering import render
from waybill.importing.columns import Reading, columns_of
from waybill.importing.errors import UnreadableFile
from waybill.importing.results import csv_file, without_marks
from waybill.importing.tables import Table, read_table
from waybill.importing.times import DateOrder, zone_of

LONGEST_FORM_BYTES: Final = 2 * 1024 * 1024
FIRST_REJECTED: Final = 50
ZONES: Final = (
    "America/Mexico_City",
    "America/Tijuana",
    "America/Cancun",
    "America/Bogota",
    "America/Sao_Paulo",
    "America/New_York",
    "Europe/Madrid",
    "UTC",
)
"""Zones that are offered; every other one can be typed."""
NO_ZONE: Final = message("There is no time zone of this name.")
STOPPED: Final = message("The API did not take this part. Nothing is lost: continue.")

_ZONE_OF_LANGUAGE: Final = {"es": "America/Mexico_City", "pt": "America/Sao_Paulo"}


@dataclass(frozen=True, slots=True)
class StartView:
    """The page to choose a file on.

    Attributes:
        zone: of times without an offset.
        order: of the parts of a date.
        source: of rows without one.
        zones: to choose from.
        problem: why the last file was not read, in the language of the page.
    """

    zone: str
    order: DateOrder
    source: str
    zones: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewView:
    """The page that shows the first rows, as they are understood.

    Attributes:
        carried: the file, for the next request.
    """

    preview: Preview
    carried: str
    zone: str
    order: DateOrder
    source: str


@dataclass(frozen=True, slots=True)
class ProgressView:
    """The page that shows how far the upload has come, and its result.

    Attributes:
        done: number of rows with an outcome; the rows before it.
        sent: those that the API has accepted.
        rejected: number of the others.
        first_rejected: number and error of the first of them.
        stopped: the last part was not sent.
        reason: why, as the API says it.
        wait_s: seconds until it can be sent, if the API says.
        carried: the file with its results, for the next request.
    """

    total: int
    done: int
    sent: int
    rejected: int
    first_rejected: tuple[tuple[int, str], ...]
    stopped: str | None
    reason: str
    wait_s: str | None
    carried: str
    zone: str
    order: DateOrder
    source: str


class PartForm(BaseModel):
    """The file that the page carries, and the row that is next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    carried: str
    done: Annotated[int, Field(ge=0)] = 0
    zone: Annotated[str, Field(max_length=64)]
    order: DateOrder
    source: Annotated[str, Field(max_length=200)] = ""


class ResultForm(BaseModel):
    """The file that the page carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    carried: str


_PART: Final = TypeAdapter(PartForm)
_RESULT: Final = TypeAdapter(ResultForm)


@console_page(Permission.EVENT_REPORT)
async def show_upload(request: web.Request) -> web.Response:
    """Show the page to choose a file on."""
    zone = _ZONE_OF_LANGUAGE.get(language_of(request).code, "UTC")
    return render(request, "console/upload/start.html", StartView(zone, DateOrder.YEAR_FIRST, "", ZONES))


@console_page(Permission.EVENT_REPORT)
async def preview_upload(request: web.Request) -> web.Response:
    """Show the first rows of the file that was sent."""
    upload = await read_upload(request)
    zone = zone_of(upload.zone)
    if zone is None:
        return _start_again(request, upload, language_of(request).gettext(NO_ZONE))
    try:
        table = with_result_columns(await asyncio.to_thread(_read, upload.content))
    except UnreadableFile as error:
        return _start_again(request, upload, _text_of(error, language_of(request)))
    reading = Reading(columns_of(table.header), zone, upload.order, upload.source)
    view = PreviewView(
        preview=preview_of(table, reading, language_of(request).gettext),
        carried=pack(table),
        zone=upload.zone,
        order=upload.order,
        source=upload.source,
    )
    return render(request, "console/upload/preview.html", view)


@console_page(Permission.EVENT_REPORT)
async def send_part(request: web.Request) -> web.Response:
    """Send the next rows and show how far the upload has come."""
    form = await read_form(request, _PART, limit=LONGEST_FORM_BYTES)
    table, zone = _carried(form.carried), zone_of(form.zone)
    if zone is None:
        raise ApiError(ErrorCode.VALIDATION_ERROR, "there is no time zone of this name")
    reading = Reading(columns_of(table.header), zone, form.order, form.source)
    rows = table.rows[form.done : form.done + ROWS_AT_ONCE]
    try:
        results = await send_rows(api(request), rows, reading)
    except ApiUnavailable as error:
        return _progress_page(request, form, table, done=form.done, stopped=error)
    table = with_results(table, form.done, results, language_of(request).gettext)
    return _progress_page(request, form, table, done=form.done + len(results))


@console_page(Permission.EVENT_REPORT)
async def fetch_result(request: web.Request) -> web.Response:
    """Return the file with the outcome of each row."""
    form = await read_form(request, _RESULT, limit=LONGEST_FORM_BYTES)
    return web.Response(
        body=csv_file(_carried(form.carried)),
        content_type="text/csv",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: 'attachment; filename="waybill-result.csv"'},
    )


def _read(content: bytes) -> Table:
    return without_marks(read_table(content, UPLOAD_LIMITS, score=lambda cells: len(columns_of(cells))))


def _text_of(error: UnreadableFile, language: Language) -> str:
    figures = {name: format_decimal(value, locale=language.locale) for name, value in error.figures.items()}
    return language.gettext(error.reason).format(**figures)


def _start_again(request: web.Request, upload: UploadedFile, problem: str) -> web.Response:
    view = StartView(upload.zone, upload.order, upload.source, ZONES, problem)
    return render(request, "console/upload/start.html", view, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _carried(text: str) -> Table:
    try:
        return unpack(text)
    except NotCarried as error:
        raise ApiError(ErrorCode.VALIDATION_ERROR, "this is no file of an upload: begin again") from error


def _progress_page(
    request: web.Request, form: PartForm, table: Table, *, done: int, stopped: ApiUnavailable | None = None
) -> web.Response:
    rejected = rejected_rows(table)
    view = ProgressView(
        total=len(table.rows),
        done=done,
        sent=count_sent(table),
        rejected=len(rejected),
        first_rejected=tuple(rejected[:FIRST_REJECTED]),
        stopped=None if stopped is None else STOPPED,
        reason="" if stopped is None else stopped.message,
        wait_s=None if stopped is None else stopped.retry_after,
        carried=form.carried if stopped is not None else pack(table),
        zone=form.zone,
        order=form.order,
        source=form.source,
    )
    # 200 also where it has stopped: htmx shows no page with an error's status.
    return render(request, "console/upload/progress.html", view)
