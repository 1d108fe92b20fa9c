"""How partitions that stand still, and shipments that are set aside, are described."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from domain.errors import ErrorCode
from domain.processing.halts import Start
from httpkit.openapi.identifiers import IN_PATH, NUMBER, Instant, TrackingNumberText
from httpkit.openapi.operations import TEXT, Key, Link, Operation, Parameter, ResponseSpec, json_content
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
    """What is known of a partition.

    `reason` says why it stands still, `resume_from` what to resume it from; `skip_to` is the offset behind
    the record or batch that stopped it, where `"from": "next"` leads. `resumption` is word that was left for
    its owner, and not heard yet.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
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


class PartitionList(TypedDict):
    """The partitions of the log that have ever been owned, by number."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[Partition]


class QuarantinedShipment(TypedDict):
    """A shipment that is set aside."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    reason: str
    since: Instant
    requested_by: str


class QuarantineList(TypedDict):
    """The shipments that are set aside, by number."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[QuarantinedShipment]


_HALTED: Final[dict[str, Any]] = {
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
_TOLD: Final[dict[str, Any]] = _HALTED | {
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
    "A partition of the log, by number.",
    TypeAdapter(Annotated[int, Field(ge=0, le=999_999)]),
    7,
)

_IF_NONE_MATCH: Final = Parameter(
    "If-None-Match",
    "header",
    "`*`: only if the shipment is not set aside yet (412); `If-Match: *`: only if it is.",
    TEXT,
    "*",
)
_NUMBER: Final = {"tracking_number": "$request.path.tracking_number"}

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/partitions"): Operation(
        name="listPartitions",
        tag=TAG,
        summary="Who works on which partition of the log, and which of them stand still",
        replies={
            200: ResponseSpec(
                "The partitions.",
                json_content(TypeAdapter(PartitionList), halted={"data": [_HALTED]}),
                headers=("Cache-Control",),
            )
        },
    ),
    ("POST", "/partitions/{partition}/resume"): Operation(
        name="resumePartition",
        tag=TAG,
        summary="Let a partition that stands still go on",
        description=(
            "Its owner hears of it within seconds, and nothing is started anew. `committed`: behind what is "
            "applied or buried. `earliest`, where records are gone before they were read: where the log "
            "begins now, which is to accept that they are lost. `next`, where one record or one batch is to "
            "blame (`skip_to` is set): behind exactly that one, which is to give it up; or at a log's end, "
            "if its tail was lost. 409 if the partition does not stand still, or cannot go on from there."
        ),
        parameters=(_PARTITION,),
        body=json_content(
            RESUME,
            repaired={"reason": "the old version is back"},
            gap={"reason": "the lost hour is sent again by hand", "from": "earliest"},
            skip={"reason": "the batch is damaged on the broker's disk", "from": "next"},
        ),
        replies={202: ResponseSpec("Word is left.", json_content(TypeAdapter(Partition), told=_TOLD))},
        errors=(ErrorCode.NOT_FOUND, ErrorCode.CANNOT_RESUME),
    ),
    ("GET", "/quarantine"): Operation(
        name="listQuarantine",
        tag=TAG,
        summary="Which shipments are set aside",
        replies={
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
        summary="Set a shipment aside",
        description=(
            "Within seconds all its records become dead letters of the reason `quarantined`: none is "
            "applied until it is released; then they can be sent again in order. At most 1,000 shipments."
        ),
        parameters=(IN_PATH, _IF_NONE_MATCH),
        body=json_content(QUARANTINE, bug={"reason": "its events break the processor"}),
        replies={
            200: ResponseSpec(
                "It is set aside.",
                json_content(TypeAdapter(QuarantinedShipment), entry=_ENTRY),
                links={"release": Link("releaseShipment", _NUMBER)},
            )
        },
        errors=(ErrorCode.VALIDATION_ERROR, ErrorCode.PRECONDITION_FAILED, ErrorCode.QUARANTINE_FULL),
    ),
    ("DELETE", "/quarantine/{tracking_number}"): Operation(
        name="releaseShipment",
        tag=TAG,
        summary="Let a shipment's records be applied again",
        description="From now on, within seconds. What was set aside stays so until it is sent again.",
        parameters=(IN_PATH,),
        replies={204: ResponseSpec("It is released.")},
        errors=(ErrorCode.VALIDATION_ERROR, ErrorCode.NOT_FOUND),
    ),
}
