"""`python -m tests.support.crashing.outbox_deaths URL FOLDER VISITS`: flushes killed at every statement.

A process of its own, for it forks: it must have no threads. Each round has an outbox of its own with the
same scans, which say in their notes which round they are of. Its flush is killed before one statement, and a
second flush sends the rest. Printed is a line for each round, as JSON.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import waybill.outbox
from tests.support.builders import number
from tests.support.crashing.statements import die_at, forked, statements_of, visits_up_to
from waybill import Waybill
from waybill.outbox import Outbox, flushing

SCANS: Final = 7
BAD: Final = 2
BAD_SOURCE: Final = "scanner-bad"
SHIPMENTS: Final = 2
LINES: Final = 3
"""Scans of a request: a flush has three."""
TEN: Final = datetime(2026, 11, 2, 10, tzinfo=UTC)


def prepare(path: Path, round_name: str) -> None:
    """Fill an outbox with the scans of a round, a bad one among them."""
    with Outbox(path) as outbox:
        for index in range(SCANS):
            outbox.add(
                number(index % SHIPMENTS),
                "picked_up",
                source=BAD_SOURCE if index == BAD else "scanner",
                timestamp=TEN + timedelta(minutes=index),
                notes=round_name,
            )


def flush(path: Path, client: Waybill) -> None:
    """Flush an outbox."""
    with Outbox(path) as outbox:
        outbox.flush(client)


def left(path: Path) -> tuple[int, int]:
    """Return how many scans are pending, and how many are refused."""
    with Outbox(path) as outbox:
        return len(outbox.pending()), len(outbox.refused())


def main(url: str, folder: Path, visits: int) -> None:
    """Kill one flush for each statement that runs, and for each of its first `visits` times."""
    flushing.MAX_LINES = LINES  # type: ignore[misc]  # a final one, for this process only
    product = str(Path(waybill.outbox.__file__).parent)
    # Only forks use `untouched`, so that each begins without a connection; to make one takes a while.
    with client_of(url) as untouched, client_of(url) as client:
        prepare(folder / "whole.db", "whole")
        places = statements_of(product, partial(flush, folder / "whole.db", client))
        for index in visits_up_to(visits, places):
            path = folder / f"{index}.db"
            prepare(path, str(index))
            code = forked(partial(die_at, index, product, partial(flush, path, untouched)))
            after = left(path)
            flush(path, client)
            found = {
                "round": str(index),
                "at": places[index],
                "code": code,
                "after": after,
                "end": left(path),
            }
            sys.stdout.write(f"{json.dumps(found)}\n")


def client_of(url: str) -> Waybill:
    """Return a client of the server."""
    return Waybill(url, username="driver", password="secret")  # noqa: S106  # a test's


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
