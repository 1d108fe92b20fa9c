"""The tree of errors that ports may raise.

WaybillError
├── BusinessError          a rule rejects the request; the caller is notified, nothing else
│   ├── InvalidTrackingNumber
│   ├── InvalidEventId
│   ├── LastAdmin
│   └── TooMuchToRead
├── TransientError         the same call may succeed later
│   ├── StoreUnavailable   a store did not answer, or its answer was lost
│   │   └── TransactionAborted   the store gave a transaction up: nothing is written
│   ├── CommitUnknown      a transaction may or may not have been committed
│   ├── NotItsTurn         records come before these, and are not applied yet
│   ├── NotPublished       the log does not hold the records
│   └── PublishUnknown     the log may hold the records, or get them later
├── DeadLetterRejected     the dead-letter topic rejects a record for good
├── Fenced                 another owner has taken the partition over
├── StaleKnowledge         the store has more records of events, or fewer, than the plan assumes
└── PoisonRecord           no retry will make this record readable
"""

from typing import ClassVar


class WaybillError(Exception):
    """Root of what our own code raises."""


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
    """The same call may succeed later.

    Attributes:
        look_again_s: pause until the next attempt where waiting is no fault; None: pauses grow.
    """

    look_again_s: ClassVar[float | None] = None


class StoreUnavailable(TransientError):
    """A store did not answer, or its answer was lost; the write may or may not stand."""


class TransactionAborted(StoreUnavailable):
    """A store aborted a transaction, because of a write conflict perhaps: nothing is written."""


class CommitUnknown(TransientError):
    """A transaction may or may not have been committed: look before repeating it."""


class NotItsTurn(TransientError):
    """Records come before these and are not applied yet."""

    look_again_s = 0.2


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
