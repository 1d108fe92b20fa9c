"""A bug: an event of one source breaks the code that judges it."""

from collections.abc import Callable
from typing import Final

import domain.processing.judging
from domain.shipments.commands import Command, ReportStatus
from domain.shipments.shipment import Decision, Shipment, decide

BREAKING_SOURCE: Final = "breaks-the-code"
Decide = Callable[[Shipment | None, Command], Decision]


def with_bug(rules: Decide) -> Decide:
    """Return the same rules, with the bug."""

    def decide_or_break(shipment: Shipment | None, command: Command) -> Decision:
        if isinstance(command, ReportStatus) and command.source == BREAKING_SOURCE:
            raise ValueError("a bug")
        return rules(shipment, command)

    return decide_or_break


def break_code() -> None:
    """Install the bug in this process."""
    setattr(domain.processing.judging, "decide", with_bug(decide))  # noqa: B010  # imported there, not exported
