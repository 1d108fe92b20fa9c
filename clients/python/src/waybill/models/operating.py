"""Partitions, quarantined shipments, and the log of operator actions."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from waybill.models.base import Model, OrText


class ResumeFrom(StrEnum):
    """The position to resume from: after what is done, the log's beginning, or after what halted it."""

    COMMITTED = "committed"
    EARLIEST = "earliest"
    NEXT = "next"


class Resumption(Model):
    """A request to resume a partition: where from, why, by whom and when."""

    from_: OrText[ResumeFrom] = Field(alias="from")
    reason: str
    requested_by: str
    requested_at: datetime


class Partition(Model):
    """State of a partition."""

    topic: str
    partition: int
    owner: str
    epoch: int
    next_offset: int
    halted: bool
    reason: str | None
    since: datetime | None
    resume_from: OrText[ResumeFrom] | None
    skip_to: int | None
    resumption: Resumption | None


class ListedPartition(Partition):
    """State of a partition, with what waits in it."""

    lag: int | None
    oldest_waiting_at: datetime | None


class QuarantinedShipment(Model):
    """A quarantined shipment."""

    tracking_number: str
    reason: str
    since: datetime
    requested_by: str


class ActionKind(StrEnum):
    """The kind of an action, as `thing.verb`; the thing decides what the target is."""

    DEAD_LETTER_DISCARDED = "dead_letter.discarded"
    DEAD_LETTER_REPLAYED = "dead_letter.replayed"
    KEY_QUARANTINED = "key.quarantined"
    KEY_RELEASED = "key.released"
    PARTITION_RESUMED = "partition.resumed"
    USER_API_KEY_CREATED = "user.api_key_created"
    USER_API_KEY_REMOVED = "user.api_key_removed"
    USER_CHANGED = "user.changed"
    USER_CREATED = "user.created"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - a name


class OperatorAction(Model):
    """A manual action of an operator."""

    id: str
    at: datetime
    by: str
    action: OrText[ActionKind]
    target: str
    reason: str | None
    details: Mapping[str, str | int | bool | None]
