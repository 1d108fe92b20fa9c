"""Implementations of the same job: how each is started, and which guarantees it gives."""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).with_name("peers")
_PYTHON: Final = PEERS / ".venv/bin/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A program that drains the topic, with the guarantees that follow from its construction.

    Attributes:
        crash: the state left by a crash between the write of the shipments and that of the audit log.
    """

    name: str
    command: tuple[str, ...]
    crash: str
    duplicates: str
    order: str
    rebalance: str


def _peer(name: str, script: str, *, order: str, rebalance: str, again: str) -> Contender:
    return Contender(
        name=name,
        command=(str(_PYTHON), str(PEERS / script)),
        crash=(
            "the shipments have moved, the audit log knows nothing of it; the batch comes again and is judged"
            f" against what it did itself: all of it is recorded as rejected. {again}"
        ),
        duplicates="known by id, from the audit log; not counted; other contents under the id pass for one",
        order=order,
        rebalance=rebalance,
    )


CONTENDERS: Final = (
    Contender(
        name="Waybill",
        command=(sys.executable, "-m", "processor"),
        crash="nothing: both writes and the offset are one transaction",
        duplicates="known by id and contents, with or without Redis; counted on the event; conflicts shown",
        order="by offset within a partition, up to three partitions at once",
        rebalance="an owner that was replaced cannot write any more: its fence fails the transaction",
    ),
    Contender(
        name="Waybill, without_change_feed",
        command=(sys.executable, "-m", "bench.without_change_feed"),
        crash="as Waybill, but no change is published, as with the peers: the very same job",
        duplicates="as Waybill",
        order="as Waybill",
        rebalance="as Waybill",
    ),
    _peer(
        "faust-streaming",
        "with_faust.py",
        order="by offset within a partition, one batch of all partitions at a time",
        rebalance="not fenced: a running batch continues beside the new owner, which reads the same records",
        again="A batch that raises is acknowledged too: `take` acknowledges in a `finally`.",
    ),
    _peer(
        "Quix Streams",
        "with_quixstreams.py",
        order="by offset within a partition, one partition at a time; seen up to a second late",
        rebalance="the checkpoint is written before partitions go; an owner that was timed out is not fenced",
        again="An error ends the process; it continues from the last checkpoint.",
    ),
    _peer(
        "FastStream",
        "with_faststream.py",
        order="by offset within a partition, one batch of all partitions at a time",
        rebalance="not fenced: a running batch continues beside the new owner, and its commit fails",
        again="An error seeks back, and the batch is tried again without end.",
    ),
)


def guarantees() -> Iterator[str]:
    """Yield the guarantees of each as text: `crash` is the state after a crash between the two writes."""
    for contender in CONTENDERS:
        yield contender.name
        yield from _labelled("crash", contender.crash)
        yield from _labelled("duplicates", contender.duplicates)
        yield from _labelled("order", contender.order)
        yield from _labelled("rebalance", contender.rebalance)
    yield "Waybill also publishes every change to two or three derived topics, with acks; the others do not."


def _labelled(name: str, text: str) -> Iterator[str]:
    for index, line in enumerate(textwrap.wrap(text, 90)):
        yield f"  {name if index == 0 else '':<12}{line}"
