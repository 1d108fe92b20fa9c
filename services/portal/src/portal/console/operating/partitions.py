"""Pages of partitions: those that are halted first, and resuming one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from domain.processing.halts import Start
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from portal.console.api import ApiRejected, Json, path_to
from portal.console.frame import api, console_page, see
from portal.console.operating.sorting import Sorting, sorting_of
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import read_form
from portal.web.rendering import render

PATH: Final = "/console/partitions"
PARTITION_PATH: Final = f"{PATH}/{{number:[0-9]{{1,6}}}}"


class ResumeForm(BaseModel):
    """The form that resumes a partition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Start
    reason: Annotated[str, Field(max_length=2_000)] = ""


_FORM: Final = TypeAdapter(ResumeForm)


@dataclass(frozen=True, slots=True)
class Choice:
    """A position from which a halted partition can resume.

    Attributes:
        offset: that it stands for; None: the beginning of the log.
        skipped: how many records of the log are skipped; None: it is not known.
    """

    start: Start
    offset: int | None
    skipped: int | None


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, as the API shows it.

    Attributes:
        lag: records of the log that are not applied; None: unknown.
        oldest: when the first of them was appended; None: nothing waits, or unknown.
        resumption: an operator's request that its owner has not carried out yet.
    """

    number: int
    owner: str
    epoch: int
    next_offset: int
    lag: int | None
    oldest: str | None
    halted: bool
    reason: str | None
    since: str | None
    choices: Sequence[Choice]
    resumption: Json | None

    @property
    def is_oldest_known(self) -> bool:
        """True if it is known since when its records wait."""
        return self.lag == 0 or self.oldest is not None


@dataclass(frozen=True, slots=True)
class PartitionsView:
    """The page of all partitions."""

    halted: Sequence[Partition]
    running: Sequence[Partition]
    sorting: Sorting


@dataclass(frozen=True, slots=True)
class PartitionView:
    """The page of one partition.

    Attributes:
        is_resuming: the form is open.
        start: the chosen position.
        reason: as it was typed.
        rejection: of the form that was sent.
    """

    partition: Partition
    is_resuming: bool = False
    start: Start | None = None
    reason: str = ""
    rejection: Rejection | None = None


SORTS: Final[Mapping[str, Callable[[Partition], Any]]] = {
    "partition": lambda each: each.number,
    "lag": lambda each: -1 if each.lag is None else each.lag,
    "oldest": lambda each: each.oldest or "9999",
    "owner": lambda each: each.owner,
}


@console_page(Permission.PARTITION_READ)
async def show_partitions(request: web.Request) -> web.StreamResponse:
    """Show the partitions, halted ones first."""
    found = [_partition_of(each) for each in (await api(request).get("/partitions"))["data"]]
    sorting = sorting_of(request, SORTS, "partition")
    view = PartitionsView(
        halted=[each for each in found if each.halted],
        running=sorting.sorted([each for each in found if not each.halted], SORTS),
        sorting=sorting,
    )
    return render(request, "console/partitions.html", view)


@console_page(Permission.PARTITION_READ)
async def show_partition(request: web.Request) -> web.StreamResponse:
    """Show one partition; with `?act=resume` also the form that resumes it."""
    partition = await _find(request)
    is_resuming = partition.halted and request.query.get("act") == "resume"
    return render(request, "console/partition.html", PartitionView(partition, is_resuming=is_resuming))


@console_page(Permission.PARTITION_RESUME)
async def resume(request: web.Request) -> web.StreamResponse:
    """Resume a partition."""
    form, number = await read_form(request, _FORM), request.match_info["number"]
    body = {"reason": form.reason, "from": form.start.value}
    try:
        await api(request).post(path_to("partitions", number, "resume"), body)
    except ApiRejected as rejected:
        if rejected.status == HTTPStatus.NOT_FOUND:
            raise
        view = PartitionView(await _find(request), is_resuming=True)
        shown = replace(view, start=form.start, reason=form.reason, rejection=rejection_of(rejected))
        return render(request, "console/partition.html", shown, status=rejected.status)
    return see(request, f"{PATH}/{int(number)}", notice="resuming")


async def _find(request: web.Request) -> Partition:
    number = int(request.match_info["number"])
    listed = (await api(request).get("/partitions"))["data"]
    # While the log grows two topics have one of that number: the API resumes the first that is halted.
    found = [each for each in listed if each["partition"] == number]
    partition = next((each for each in found if each["halted"]), found[-1] if found else None)
    if partition is None:
        raise ApiError(ErrorCode.NOT_FOUND, f"there is no partition {number}, or it has had no owner yet")
    return _partition_of(partition)


def _partition_of(body: Json) -> Partition:
    return Partition(
        number=body["partition"],
        owner=body["owner"],
        epoch=body["epoch"],
        next_offset=body["next_offset"],
        lag=body.get("lag"),  # a query-api of the version before has neither
        oldest=body.get("oldest_waiting_at"),
        halted=body["halted"],
        reason=body["reason"],
        since=body["since"],
        choices=tuple(_choices(body)) if body["halted"] else (),
        resumption=body["resumption"],
    )


def _choices(body: Json) -> list[Choice]:
    """Return the positions that the API accepts: its first, and what `skip_to` adds."""
    usual, skip_to, applied = Start(body["resume_from"]), body["skip_to"], body["next_offset"]
    committed = Choice(Start.COMMITTED, applied, 0)
    earliest = Choice(Start.EARLIEST, None, None)
    if usual is Start.EARLIEST:
        return [earliest]
    if usual is Start.NEXT:  # the log has lost its tail
        return [Choice(Start.NEXT, skip_to, None), earliest]
    if skip_to is None:
        return [committed]
    return [committed, Choice(Start.NEXT, skip_to, max(0, skip_to - applied))]
