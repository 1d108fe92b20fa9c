"""Request bodies and queries of deliveries and replays."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    field_validator,
)

from domain.timestamps import to_milliseconds
from domain.webhooks.delivery import DeliveryState
from httpkit.listing.list_queries import CursorQuery
from httpkit.listing.query_parameters import FullNumber, Instant
from httpkit.request.instants import parse_instant
from webhooks.schemas.endpoints import TypePattern, TypePatterns


class Replayable(StrEnum):
    """State of deliveries that a replay sends again; pending ones are sent anyway."""

    DELIVERED = DeliveryState.DELIVERED.value
    FAILED = DeliveryState.FAILED.value
    HELD = DeliveryState.HELD.value


DEFAULT_STATES: Final = (Replayable.FAILED, Replayable.HELD)


def _instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    try:
        return to_milliseconds(parse_instant(value))
    except OverflowError as error:
        raise ValueError("is no instant of the calendar in UTC") from error


def _once_each(states: Sequence[Replayable]) -> list[Replayable]:
    return list(dict.fromkeys(states))


InstantIn = Annotated[datetime, PlainValidator(_instant, json_schema_input_type=AwareDatetime)]

ReplayableStates = Annotated[list[Replayable], Field(min_length=1, max_length=8), AfterValidator(_once_each)]


class NewReplay(BaseModel):
    """Deliveries to send again: those created from `from` until before `to`.

    `states` are `failed` and `held` by default. `types` are types of messages, or beginnings and `*`; all by
    default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Annotated[InstantIn, Field(alias="from")]
    end: Annotated[InstantIn, Field(alias="to")]
    states: ReplayableStates | None = None
    types: TypePatterns | None = None

    @field_validator("end")
    @classmethod
    def _require_order(cls, end: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("start")
        if start is not None and start >= end:
            raise ValueError("must be after from")
        return end


class DeliveryQuery(CursorQuery):
    """Filters of deliveries; `from` is inclusive, `to` exclusive."""

    state: Annotated[DeliveryState | None, Field(description="Only deliveries in this state.")] = None
    type: Annotated[
        TypePattern | None, Field(description="Only messages of this type, or with this beginning and `*`.")
    ] = None
    tracking_number: Annotated[FullNumber | None, Field(description="Only messages about this shipment.")] = (
        None
    )
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


NEW_REPLAY: Final = TypeAdapter(NewReplay)
DELIVERY_QUERY: Final = TypeAdapter(DeliveryQuery)
