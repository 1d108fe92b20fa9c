"""Ports of the services, named by role. Adapters live in `messaging` and `storage`.

Those of dead letters are in `domain.ports.dead_letters`, those of halted and resumed partitions in
`domain.ports.partitions`, those of revoked tokens in `domain.ports.revocations`. Every call may raise
`StoreUnavailable`, and the publishing ones `NotPublished` or `PublishUnknown`, unless documented otherwise.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from domain.access.accounts import ApiKey, User
from domain.access.operator_actions import OperatorAction
from domain.access.rate_limit import Grant, Quota
from domain.ports.queries import (
    EVERYTHING,
    ActionFilter,
    EventFilter,
    Page,
    Scope,
    ShipmentFilter,
    Window,
)
from domain.processing.batch import ConsumedCommand, EventRecord, Plan, Verdict
from domain.processing.halts import EMPTY_CHECKPOINT, PartitionCheckpoint
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber

Document = dict[str, Any]
"""A stored document in the shape of the API: plain values, aware datetimes."""


class Clock(Protocol):
    """The current time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""


class CommandLog(Protocol):
    """The log of all commands."""

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """Append commands, those of one shipment in the order given.

        Returns after all in-sync replicas have acknowledged every one of them.

        Raises:
            NotPublished: none of the commands is in the log.
            PublishUnknown: some may be in the log, or get there later.
        """


class ChangeFeed(Protocol):
    """The topics of applied changes."""

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        """Publish every applied event among `verdicts`, replayed ones too; at least once, with stable ids."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to write for a partition.

    Attributes:
        epoch: raised by each new owner; a write with an older one fails.
        next_offset: one above the highest offset that a committed batch held.
        checkpoint: the state that the previous owner left, as of the takeover.
    """

    partition: str
    epoch: int
    next_offset: int
    checkpoint: PartitionCheckpoint = field(default=EMPTY_CHECKPOINT, compare=False)


EndOffset = Callable[[], Awaitable[int]]
"""A callable that returns the end offset of a partition's log; may raise `TransientError`."""

IsAnother = Callable[[], Awaitable[bool]]
"""A callable that says whether a partition's log was re-created; may raise `TransientError`."""


class ShipmentStore(Protocol):
    """The processor's side of the store. One partition has one writer: the one that raised its epoch last."""

    async def acquire(
        self, partition: str, *, owner: str, end_offset: EndOffset, is_another: IsAnother | None = None
    ) -> Fence:
        """Take a partition over: raise its epoch, durable for a majority, before anything is read.

        Args:
            partition: `topic/number`.
            owner: the name of the new owner, shown to operators.
            end_offset: called once the epoch is raised, when nobody else can move the fence any more.
            is_another: called where the fence lies beyond that end. If so (None: it is), the topic has been
                re-created since, and `next_offset` starts again from 0. Else the fence stays as it is: the
                log has lost its tail.

        Raises:
            Fenced: another owner has taken it over meanwhile.
        """

    async def refresh(self, fence: Fence) -> Fence:
        """Read the fence again after a transaction whose outcome is unknown.

        Raises:
            Fenced: another owner has raised the epoch.
        """

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """Return the state of those shipments that exist."""

    async def load_histories(
        self, retractions: Mapping[TrackingNumber, int]
    ) -> dict[TrackingNumber, list[HistoryEntry]]:
        """Return the histories of those shipments that exist, or their ends.

        Args:
            retractions: by shipment, how many entries may be taken back.
        """

    async def find_events(self, event_ids: Collection[EventId]) -> dict[EventId, EventRecord | None]:
        """Look events up; None for those without a record."""

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """Write the plans of different partitions, all or nothing, while the fence of each holds.

        If one of several plans may be the reason of an error, commit each alone.

        Returns:
            The fences, each moved to its plan's `next_offset`.

        Raises:
            Fenced: another owner has a partition, or an earlier transaction was committed after all.
            StaleKnowledge: an event that a plan assumes to be new has a record, or one that it only counts
                has none.
            TransactionAborted: nothing is written; the next attempt may succeed.
            CommitUnknown: the transaction may or may not have been committed.
        """

    async def dead_letter(
        self,
        fence: Fence,
        consumed: ConsumedCommand | None,
        *,
        next_offset: int,
        reason: str,
        recorded_at: datetime,
    ) -> Fence:
        """Record an event as dead, unless it has a record already, and move the fence: both or neither.

        The record of another payload stays as it is, and lists the dead one among its other payloads.

        Args:
            fence: nothing is written unless it holds.
            consumed: None if the record cannot be read: the fence moves alone.
            next_offset: the new position of the fence.
            reason: why the event could not be applied.
            recorded_at: the current time.

        Returns:
            The fence moved to `next_offset`.

        Raises:
            Fenced: as `commit`.
            CommitUnknown: as `commit`.
        """


class DuplicateFilter(Protocol):
    """A fast cache of applied events. Best effort: it may forget, and never raises."""

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        """Say of each member, by partition, whether it was marked; all False without the cache."""

    async def mark(self, members: Mapping[str, Sequence[str]]) -> None:
        """Mark members, by partition; nothing happens when the cache cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The reply to a caller that waits for an event.

    Attributes:
        outcome: `applied`, `rejected` or `dead`.
        reason: why it was rejected; `IDEMPOTENCY_CONFLICT` or `TRACKING_NUMBER_TAKEN` for a creation that
            differs from the first with its number, whatever the outcome of that first.
        timestamp: of the event that stands: for a repeated creation the first one's.
        status: of the event that stands: the one it reports, or the shipment's if it reports none.
        version: the shipment's after the event, None if it was not applied.
        current_status: the shipment's, where it is why the event was rejected; None otherwise.
        held_until: of a rejected event that is held, until when it may be applied after all.
    """

    event_id: EventId
    outcome: str
    reason: RejectionReason | None
    client_id: str | None
    timestamp: datetime
    status: Status | None = None
    version: int | None = None
    current_status: Status | None = None
    held_until: datetime | None = None


class Replies(Protocol):
    """Sends replies to callers that wait for an event. Best effort: they may be lost; it never raises."""

    async def send(self, replies: Mapping[str, Reply]) -> None:
        """Send replies, keyed by the address that the record's `reply_to` gave."""


class ReplyInbox(Protocol):
    """An inbox in which requests wait for their replies, each at an address of its own."""

    @property
    def is_open(self) -> bool:
        """True while replies can arrive; otherwise waiting is useless."""

    def expect(self) -> AbstractContextManager[tuple[str, Awaitable[Reply]]]:
        """Return the address to send an event with, and the awaitable of its reply, which may never come."""


class ShipmentReader(Protocol):
    """Reads shipments, in the shape of the API."""

    async def get(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> Document | None:
        """Return a shipment with its history, or None if there is none in `scope`."""

    async def exists(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> bool:
        """Say whether there is such a shipment in `scope`."""

    async def exists_outside(self, tracking_number: TrackingNumber, scope: Scope) -> bool:
        """Say whether the shipment exists outside of `scope`; False if it does not exist yet."""

    async def page(self, matching: ShipmentFilter, window: Window) -> Page:
        """Return a part of the list of shipments: newest first; by number if only a prefix names them.

        Raises:
            TooMuchToRead: `updated` has no index, and the other filters leave too many to scan.
        """


class EventReader(Protocol):
    """Reads the audit log, in the shape of the API."""

    async def get(self, event_id: EventId, scope: Scope = EVERYTHING) -> Document | None:
        """Return an event with its outcome, or None if there is none in `scope`."""

    async def exists_outside(self, event_id: EventId, scope: Scope) -> bool:
        """Say whether the event exists outside of `scope`; False if it does not exist yet."""

    async def page(self, matching: EventFilter, window: Window) -> Page:
        """Return a part of a shipment's audit trail, oldest first."""


class ActionLog(Protocol):
    """The log of operator actions; each is written in the transaction of its change."""

    async def page(self, matching: ActionFilter, window: Window) -> Page:
        """Return a part of the list of actions, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Tokens that are rejected although they have not expired.

    Attributes:
        name: what the tokens have in common: `jti:…` one token, `key:…` those of an API key, `sub:…` those
            of a user.
        issued_until: tokens that were issued later are not revoked.
        recorded_at: when it was made.
        expires_at: by then the last of them has expired by itself.
    """

    name: str
    issued_until: datetime
    recorded_at: datetime
    expires_at: datetime


class UserStore(Protocol):
    """The store of users."""

    async def find(self, username: str) -> User | None:
        """Return the user of that name, or None."""

    async def page(self, *, limit: int, offset: int) -> tuple[list[User], int]:
        """Return users by name, and how many there are."""

    async def add(self, user: User, *, action: OperatorAction | None = None) -> bool:
        """Add a user and record `action`, both or neither; False, and no change, if the name is taken."""

    async def replace(
        self, old: User, new: User, *, revocations: Sequence[Revocation], action: OperatorAction
    ) -> bool:
        """Replace `old` by `new`, record `revocations` and `action`: all or nothing.

        Returns:
            False, and nothing changes, if the user is not `old` any more.

        Raises:
            LastAdmin: `old` is the only admin who may log in, and `new` is none; nothing was changed. Of two
                such changes at once, one raises it.
        """


class ApiKeyStore(Protocol):
    """The store of API keys."""

    async def add(self, username: str, key: ApiKey, *, most: int, action: OperatorAction) -> bool:
        """Add a key and record `action`, both or neither.

        Returns:
            False, and nothing changes, if the user has `most` of them or does not exist.
        """

    async def of_user(self, username: str) -> list[ApiKey]:
        """Return the keys of a user, oldest first."""

    async def find(self, key_id: str) -> tuple[User, ApiKey] | None:
        """Return a key and its user, or None."""

    async def remove(
        self, username: str, key_id: str, *, revocation: Revocation, action: OperatorAction
    ) -> bool:
        """Remove a key, record `revocation` and `action`: all or nothing; False if there is none."""

    async def touch(self, key_id: str, *, at: datetime) -> None:
        """Record when a key was last used."""


class RateLimiter(Protocol):
    """Rate limits of callers, named by a key. Never raises; always enforces some limit."""

    async def take(self, key: str, quota: Quota, *, wanted: int = 1) -> Grant:
        """Take up to `wanted`; a grant of 0 is a refusal, and says when to retry."""

    async def give_back(self, key: str, quota: Quota, amount: int) -> None:
        """Give back some of what was taken a moment ago; nothing if the bucket is full by now."""


class LoginGuard(Protocol):
    """Throttling of password guessing. Never raises; always counts."""

    async def wait_s(self, username: str, address: str) -> float:
        """Return the seconds to wait before the next attempt; 0: not at all."""

    async def failed(self, username: str, address: str) -> None:
        """Count a failure, of this user from this address, of this user, and of this address."""

    async def knows(self, username: str, address: str) -> bool:
        """Say whether this user has logged in from this address lately."""

    async def succeeded(self, username: str, address: str) -> None:
        """Reset the failures of this user from this address, and remember the pair."""
