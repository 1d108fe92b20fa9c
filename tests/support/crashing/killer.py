"""`python -m tests.support.crashing.killer`: the processor, whose process some records end.

As at a fault in native code: nothing is raised, nothing is said. `KILL_AT` says at which step.
"""

import os
import signal
from typing import Final

import domain.processing.judging
from domain.shipments.commands import Command, ReportStatus
from domain.shipments.shipment import Decision, Shipment, decide
from messaging import codec
from processor.__main__ import main

KILLING_SOURCE: Final = "ends-the-process"
"""Source of the events that end the process."""

_decode = codec.decode


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _judge(shipment: Shipment | None, command: Command) -> Decision:
    if isinstance(command, ReportStatus) and command.source == KILLING_SOURCE:
        _die()
    return decide(shipment, command)


def _read(value: bytes | None) -> codec.Decoded:
    if value is not None and KILLING_SOURCE.encode() in value:
        _die()
    return _decode(value)


if __name__ == "__main__":
    if os.environ["KILL_AT"] == "reading":
        setattr(codec, "decode", _read)  # noqa: B010  # for this process only
    else:
        setattr(domain.processing.judging, "decide", _judge)  # noqa: B010  # imported there, not exported
    main()
