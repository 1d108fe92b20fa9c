"""Error codes of the API and the tree of errors that ports may raise.

WaybillError
├── BusinessError          a rule rejects the request; the caller is notified, nothing else
│   ├── InvalidTrackingNumber
│   ├── InvalidEventId
│   ├── LastAdmin
│   └── TooMuchToRead
├── TransientError         the same call may succeed later
│   ├── StoreUnavailable   a store did not answer, or its answer was lost
│   ├── CommitUnknown      a transaction may or may not have been committed
│   ├── NotPublished       the log does not hold the records
│   └── PublishUnknown     the log may hold the records, or get them later
├── DeadLetterRejected     the dead-letter topic rejects a record for good
├── Fenced                 another owner has taken the partition over
├── StaleKnowledge         the store has more records of events, or fewer, than the plan assumes
└── PoisonRecord           no retry will make this record readable
"""

from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The `error` field of every error body, and the `reason` of a rejected event."""

    API_KEY_LIMIT_REACHED = "API_KEY_LIMIT_REACHED"
    API_KEY_NOT_FOUND = "API_KEY_NOT_FOUND"
    AUTHENTICATION_REQUIRED = "AUTHENTICATION_REQUIRED"
    CANNOT_RESUME = "CANNOT_RESUME"
    DEAD_LETTER_DISCARDED = "DEAD_LETTER_DISCARDED"
    EVENT_NOT_FOUND = "EVENT_NOT_FOUND"
    FIELDS_TOO_LARGE = "FIELDS_TOO_LARGE"
    FORBIDDEN = "FORBIDDEN"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    INCOMPLETE_DIMENSIONS = "INCOMPLETE_DIMENSIONS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_JSON = "INVALID_JSON"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105  # a code, not a secret
    INVALID_TRANSITION = "INVALID_TRANSITION"
    LAST_ADMIN = "LAST_ADMIN"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    NOT_FOUND = "NOT_FOUND"
    OWN_ACCOUNT = "OWN_ACCOUNT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    QUARANTINE_FULL = "QUARANTINE_FULL"
    RATE_LIMITED = "RATE_LIMITED"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    SHIPMENT_NOT_FOUND = "SHIPMENT_NOT_FOUND"
    SOURCE_NOT_ALLOWED = "SOURCE_NOT_ALLOWED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    TRACKING_NUMBER_TAKEN = "TRACKING_NUMBER_TAKEN"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    URI_TOO_LONG = "URI_TOO_LONG"
    USERNAME_TAKEN = "USERNAME_TAKEN"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"


class WaybillError(Exception):
    """Root of what our own code raises."""

    retriable: ClassVar[bool] = False


class BusinessError(WaybillError):
    """A rule rejects the request."""


class InvalidTrackingNumber(BusinessError):
    """Not a tracking number: wrong form or wrong check character."""


class InvalidEventId(BusinessError):
    """Not an event id that any accepted event could have."""


class LastAdmin(BusinessError):
    """No admin would be left to manage users."""


class TooMuchToRead(BusinessError):
    """No index serves the query, and there is too much to scan without one."""


class TransientError(WaybillError):
    """The same call may succeed later."""

    retriable = True


class StoreUnavailable(TransientError):
    """A store did not answer, or its answer was lost; the write may or may not stand."""


class CommitUnknown(TransientError):
    """A transaction may or may not have been committed: look before repeating it."""


class NotPublished(TransientError):
    """The log does not hold the records."""


class PublishUnknown(TransientError):
    """The log may hold the records, or get them later: resending with the same ids is safe."""


class DeadLetterRejected(WaybillError):
    """The dead-letter topic rejects a record, however often it is retried."""


class Fenced(WaybillError):
    """Another owner has taken the partition over: drop all state of it."""


class StaleKnowledge(WaybillError):
    """The store has more records, or fewer, than the plan assumes: look up, judge again."""


class PoisonRecord(WaybillError):
    """No retry will make this record readable.

    Attributes:
        reason: what is wrong with it, fit for an operator's eyes.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
