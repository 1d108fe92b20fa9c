"""The log and the topics behind it, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.processing.batch import Verdict
from domain.shipments.commands import Command
from tests.support.fakes.faults import Faults


@dataclass(frozen=True, slots=True)
class Appended:
    """One command in the log, with its headers."""

    command: Command
    reply_to: str | None
    traceparent: str | None


class InMemoryCommandLog(Faults):
    """The appended commands, in order.

    `fail_next("append", NotPublished())` leaves the log as it is; `fail_next("append", PublishUnknown(),
    after=True)` is the case where the records are in the log all the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[Appended] = []

    @property
    def commands(self) -> list[Command]:
        """The commands in the log."""
        return [appended.command for appended in self.appended]

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """Append commands in the order given."""
        with self.around("append"):
            self.appended += [Appended(command, reply_to, traceparent) for command in commands]


class InMemoryChangeFeed(Faults):
    """The published verdicts."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Verdict] = []

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts of applied events, replayed ones too."""
        with self.around("publish"):
            self.published += [verdict for verdict in verdicts if verdict.is_published]
