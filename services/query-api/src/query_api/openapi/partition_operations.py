"""Descriptions of halted partitions and quarantined shipments."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from domain.processing.halts import Start
from httpkit.openapi.identifiers import IN_PATH, NUMBER, Instant, TrackingNumberText
from httpkit.openapi.operations import TEXT, Key, Link, Operation, Parameter, ResponseSpec, json_content
from httpkit.response.error_codes import ErrorCode
from query_api.schemas.bodies import QUARANTINE, RESUME

TAG: Final = "operations"

_CLOSED = ConfigDict(extra="forbid")
_Offset = Annotated[int, Field(ge=0)]

# "from" is a keyword of the language.
Resumption = TypedDict(
    "Resumption", {"from": Start, "reason": str, "requested_by": str, "requested_at": Instant}
)
Resumption.__pydantic_config__ = _CLOSED  # type: ignore[attr-defined]  # pydantic's way of configuring one


class Partition(TypedDict):
    """State of a partition.

    `topic` is the topic of the log that it belongs to: while the log grows there are two. `reason` is why it
    is halted, `resume_from` where to resume it; `skip_to` is the offset after the record or batch that halted
    it, where `"from": "next"` resumes. `resumption` is a request to resume that its owner has not carried out
    yet.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    topic: str
    partition: _Offset
    owner: str
    epoch: _Offset
    next_offset: _Offset
    halted: bool
    reason: str | None
    since: Instant | None
    resume_from: Start | None
    skip_to: _Offset | None
    resumption: Resumption | None


class ListedPartition(Partition):
    """State of a partition, with what waits in it.

    `lag` is how many records of the log are not applied yet, `oldest_waiting_at` when the first of them was
    appended, null if none waits. Both are null while Kafka does not respond.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    lag: _Offset | None
    oldest_waiting_at: Instant | None


class PartitionList(TypedDict):
    """The partitions of the log that have had an owner and still take events, by topic and number."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[ListedPartition]


class QuarantinedShipment(TypedDict):
    """A quarantined shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    reason: str
    since: Instant
    requested_by: str


class QuarantineList(TypedDict):
    """The quarantined shipments, by tracking number."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[QuarantinedShipment]


_HALTED: Final[dict[str, Any]] = {
    "topic": "shipments.events",
    "partition": 7,
    "owner": "processor-2",
    "epoch": 41,
    "next_offset": 48211,
    "halted": True,
    "reason": "100 dead letters in a row, the last: not JSON",
    "since": "2026-11-02T16:50:02.118Z",
    "resume_from": "committed",
    "skip_to": None,
    "resumption": None,
}
_LISTED: Final[dict[str, Any]] = _HALTED | {"lag": 164, "oldest_waiting_at": "2026-11-02T16:50:01.903Z"}
_RESUMING: Final[dict[str, Any]] = _HALTED | {
    "resumption": {
        "from": "committed",
        "reason": "the old version is back",
        "requested_by": "admin_user",
        "requested_at": "2026-11-02T17:05:40.007Z",
    }
}
_ENTRY: Final[dict[str, Any]] = {
    "tracking_number": NUMBER,
    "reason": "its events break the processor",
    "since": "2026-11-02T17:05:40.007Z",
    "requested_by": "admin_user",
}
_PARTITION: Final = Parameter(
    "partition",
    "path",
    "Number of the partition.",
    TypeAdapter(Annotated[int, Field(ge=0, le=999_999)]),
    7,
)

_IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "header",
    "`*`: only if the shipment is not quarantined yet, else 412; `If-Match: *`: only if it is.",
    TEXT,
    "*",
)
_NUMBER: Final = {"tracking_number": "$request.path.tracking_number"}

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/partitions"): Operation(
        name="listPartitions",
        tag=TAG,
        summary="List partitions, their owners and halts",
        responses={
            200: ResponseSpec(
                "The partitions.",
                json_content(TypeAdapter(PartitionList), halted={"data": [_LISTED]}),
                headers=("Cache-Control",),
            )
        },
    ),
    ("POST", "/partitions/{partition}/resume"): Operation(
        name="resumePartition",
        tag=TAG,
        summary="Resume a halted partition",
        description=(
            "Its owner resumes it within seconds, without a restart. `committed`: after the last record that "
            "was applied or dead-lettered. `earliest`, if records were deleted before they were read: at the "
            "start of the log, which accepts their loss. `next`, if one record or batch is the cause "
            "(`skip_to` is set): after exactly that one, which is skipped; or at the end of the log, if its "
            "tail was lost. 409 if the partition is not halted, or cannot resume from there."
        ),
        parameters=(_PARTITION,),
        body=json_content(
            RESUME,
            repaired={"reason": "the old version is back"},
            gap={"reason": "the lost hour is sent again by hand", "from": "earliest"},
            skip={"reason": "the batch is damaged on the broker's disk", "from": "next"},
        ),
        responses={
            202: ResponseSpec(
                "The request is recorded.", json_content(TypeAdapter(Partition), requested=_RESUMING)
            )
        },
        errors=(ErrorCode.NOT_FOUND, ErrorCode.CANNOT_RESUME),
    ),
    ("GET", "/quarantine"): Operation(
        name="listQuarantine",
        tag=TAG,
        summary="List quarantined shipments",
        responses={
            200: ResponseSpec(
                "The shipments.",
                json_content(TypeAdapter(QuarantineList), one={"data": [_ENTRY]}),
                headers=("Cache-Control",),
            )
        },
    ),
    ("PUT", "/quarantine/{tracking_number}"): Operation(
        name="quarantineShipment",
        tag=TAG,
        summary="Quarantine a shipment",
        description=(
            "Within seconds all its new records become dead letters with the reason `quarantined`; none is "
            "applied until it is released. Then they can be replayed in order. At most 1,000 shipments."
        ),
        parameters=(IN_PATH, _IF_NONE_MATCH),
        body=json_content(QUARANTINE, bug={"reason": "its events break the processor"}),
        responses={
            200: ResponseSpec(
                "The shipment is quarantined.",
                json_content(TypeAdapter(QuarantinedShipment), entry=_ENTRY),
                links={"release": Link("releaseShipment", _NUMBER)},
            )
        },
        errors=(ErrorCode.VALIDATION_ERROR, ErrorCode.PRECONDITION_FAILED, ErrorCode.QUARANTINE_FULL),
    ),
    ("DELETE", "/quarantine/{tracking_number}"): Operation(
        name="releaseShipment",
        tag=TAG,
        summary="Release a shipment from quarantine",
        description="Its new records are applied again within seconds; dead letters stay until replayed.",
        parameters=(IN_PATH,),
        responses={204: ResponseSpec("The shipment is released.")},
        errors=(ErrorCode.VALIDATION_ERROR, ErrorCode.NOT_FOUND),
    ),
}
