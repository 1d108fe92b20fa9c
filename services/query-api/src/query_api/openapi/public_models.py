"""Models of the responses about the public view of shipments, and links to them."""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from domain.shipments.links import ID_PATTERN
from domain.shipments.status import Status
from httpkit.openapi.identifiers import Instant, TrackingNumberText

_CLOSED = ConfigDict(extra="forbid")

LinkIdText = Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]


class PublicStep(TypedDict):
    """A status that a shipment reached, or a checkpoint, with the status that held."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    status: Status
    checkpoint: NotRequired[str]
    timestamp: Instant


class PublicShipment(TypedDict):
    """A shipment as anybody with its number sees it."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: TrackingNumberText
    current_status: Status
    steps: list[PublicStep]
    updated_at: Instant


class NewLink(TypedDict):
    """A link with its address, which is shown once."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: LinkIdText
    url: str
    expires_at: Instant | None


class ListedLink(TypedDict):
    """A link without its token."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: LinkIdText
    created_by: str
    created_at: Instant
    expires_at: Instant | None


class LinkList(TypedDict):
    """The links of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[ListedLink]
