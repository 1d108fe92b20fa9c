"""Models of the messages that endpoints are sent, one per type."""

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from domain.shipments.status import Status
from domain.webhooks.message import AMENDED, CHECKPOINT, CORRECTED, MESSAGE_TYPES
from httpkit.openapi.identifiers import EventIdText, Instant, TrackingNumberText

# Receivers ignore members that they do not know: more may come.
_OPEN = ConfigDict(extra="ignore")
_Version = Annotated[int, Field(ge=1)]
_typed_dict: Final[Any] = TypedDict  # called with fields that are known at run time only


class MessageLocation(TypedDict):
    """Location of an event, in WGS 84."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    lat: float
    lng: float
    address: NotRequired[str]


class MessageEvent(TypedDict):
    """The event that has changed a shipment."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event_id: EventIdText
    status: Status
    timestamp: Instant
    source: str
    location: MessageLocation | None
    notes: str | None


class CheckpointEvent(MessageEvent):
    """A checkpoint, with the status that held."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    checkpoint: str


class AmendmentEvent(MessageEvent):
    """An amendment, with the members that it has changed."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    changes: dict[str, Any]


class CorrectionEvent(MessageEvent):
    """A retraction: the event that it takes back, and why; `status` is the one that holds again."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    retracts: EventIdText
    reason: str


class ThinMessageData(TypedDict):
    """Number of the changed shipment, and its version after the change."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    tracking_number: TrackingNumberText
    version: _Version


class _FullData(ThinMessageData):
    client_id: str
    current_status: Status
    previous_status: Status | None


class MessageData(_FullData):
    """A change of a shipment; `previous_status` is null before its creation."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: MessageEvent


class CheckpointData(_FullData):
    """A checkpoint of a shipment."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: CheckpointEvent


class AmendmentData(_FullData):
    """An amendment of a shipment."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: AmendmentEvent


class CorrectionData(_FullData):
    """A retraction of an event of a shipment."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    event: CorrectionEvent


_DATA: Final = {CHECKPOINT: CheckpointData, AMENDED: AmendmentData, CORRECTED: CorrectionData}


def name_of(type_: str) -> str:
    """Return the name of the model of a type: `ShipmentInTransit` for `shipment.in_transit`."""
    return type_.replace(".", "_").title().replace("_", "")


def _message(type_: str) -> Any:  # noqa: ANN401  # a TypedDict
    fields = {
        "type": Literal[type_],
        "timestamp": Instant,
        "data": _DATA.get(type_, MessageData) | ThinMessageData,
    }
    model = _typed_dict(f"{name_of(type_)}Message", fields)
    model.__pydantic_config__ = _OPEN
    model.__doc__ = f"A message of the type `{type_}`; with thin payload, `data` is the short form."
    return model


MESSAGES: Final = {type_: _message(type_) for type_ in MESSAGE_TYPES}
"""Model of the message of each type."""
