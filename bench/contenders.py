"""Implementations of the same job: how each is started; bench/README.md has what each guarantees."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).with_name("peers")
_PYTHON: Final = str(PEERS / ".venv/bin/python")


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that drains the topic."""

    name: str
    command: tuple[str, ...]


CONTENDERS: Final = (
    Contender("Waybill", (sys.executable, "-m", "processor")),
    Contender(
        "Waybill, without_change_feed", (sys.executable, "-m", "bench.processors", "without_change_feed")
    ),
    Contender("faust-streaming", (_PYTHON, str(PEERS / "with_faust.py"))),
    Contender("Quix Streams", (_PYTHON, str(PEERS / "with_quixstreams.py"))),
    Contender("FastStream", (_PYTHON, str(PEERS / "with_faststream.py"))),
)
