"""Implementations of the same job: how each is started; bench/README.md has what each guarantees."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OURS: Final = "Waybill"
PEERS: Final = Path(__file__).with_name("peers")
JVM: Final = PEERS / "jvm"
_PYTHON: Final = str(PEERS / ".venv/bin/python")
_JAVA: Final = (
    *("java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
    *("-cp", f"{JVM}/target/classes:{JVM}/target/jars/*", "peer.Peer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A program that drains the topic.

    Attributes:
        publishes: whether it publishes what it has changed to the derived topics, too.
    """

    library: str
    command: tuple[str, ...]
    publishes: bool

    @property
    def name(self) -> str:
        """Name in tables."""
        return self.library if self.publishes else f"{self.library}, without change feed"


def _both(library: str, command: tuple[str, ...]) -> tuple[Contender, Contender]:
    """Return a peer with the change feed and without: an environment variable tells it."""
    return (
        Contender(library=library, command=command, publishes=True),
        Contender(library=library, command=command, publishes=False),
    )


CONTENDERS: Final = (
    Contender(library=OURS, command=(sys.executable, "-m", "processor"), publishes=True),
    Contender(
        library=OURS,
        command=(sys.executable, "-m", "bench.processors", "without_change_feed"),
        publishes=False,
    ),
    *_both("FastStream", (_PYTHON, str(PEERS / "with_faststream.py"))),
    *_both("Quix Streams", (_PYTHON, str(PEERS / "with_quixstreams.py"))),
    *_both("faust-streaming", (_PYTHON, str(PEERS / "with_faust.py"))),
    *_both("kafka-clients", _JAVA),
)
