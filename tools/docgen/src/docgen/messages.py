"""Messages of the topics that Waybill writes for others; `messaging.codec` has those that it reads."""

from typing import Literal, NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict

from domain.shipments.status import Status
from httpkit.openapi.identifiers import EventIdText, Instant, TrackingNumberText
from messaging.wire_shapes import DeliveryWindow, Package, Place, PublishedObservation, UtcOffset


class ChangeData(PublishedObservation):
    """An applied change: a creation holds the shipment, an amendment its changes, a checkpoint its code.

    `status` and `current_status` are the shipment's after the change, `previous_status` is the one before it:
    null of a creation, and of cancellations and corrections that an earlier release applied. A correction
    says which event it takes back and why; its status is the one that holds again.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic's way with a TypedDict
    event_id: EventIdText
    tracking_number: TrackingNumberText
    client_id: str
    status: Status
    current_status: Status
    previous_status: Status | None
    checkpoint: NotRequired[str]
    version: int
    timestamp: Instant
    source: NotRequired[str]
    utc_offset: NotRequired[UtcOffset]
    origin: NotRequired[Place]
    destination: NotRequired[Place]
    package: NotRequired[Package]
    reference: NotRequired[str]
    estimated_delivery: NotRequired[DeliveryWindow]
    changes: NotRequired[dict[str, object]]
    retracts: NotRequired[EventIdText]
    reason: NotRequired[str]


class Change(TypedDict):
    """CloudEvent of a change, published after it is committed: at least once, with a stable id."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    specversion: Literal["1.0"]
    id: EventIdText
    source: Literal["/processor"]
    type: Literal["waybill.shipment.changed.v1", "waybill.shipment.corrected.v1"]
    subject: TrackingNumberText
    time: Instant
    data: ChangeData
