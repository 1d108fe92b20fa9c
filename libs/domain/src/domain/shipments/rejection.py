"""Reasons for which an event is rejected; they are recorded with it."""

from enum import StrEnum


class RejectionReason(StrEnum):
    """The `reason` of a rejected event, and of a payload that is not the recorded one."""

    EVENT_NOT_FOUND = "EVENT_NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    INCOMPLETE_DIMENSIONS = "INCOMPLETE_DIMENSIONS"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    NOT_THE_LATEST = "NOT_THE_LATEST"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    RETRACTED = "RETRACTED"
    SHIPMENT_NOT_FOUND = "SHIPMENT_NOT_FOUND"
    TRACKING_NUMBER_TAKEN = "TRACKING_NUMBER_TAKEN"
