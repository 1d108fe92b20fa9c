"""`python -m tests.support.crashing.outbox_alarms URL OUTBOX KILLS SEED LINES`: flushes that end anywhere.

An alarm that nobody handles ends the process wherever it is: between two statements, within SQLite, or while
it waits for an answer. One that has sent its share waits for its alarm: something is left for the next. The
API key comes from `WAYBILL_API_KEY`. The last flush is left alone. Printed is, as JSON, how many scans were
pending after each death.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tests.support.crashing.statements import forked
from waybill import Waybill
from waybill.outbox import Outbox, flushing
from waybill.outbox.answers import Verdicts
from waybill.outbox.sending import Sender

FIRST_WITHIN_S: Final = 0.05
LATER: Final = 1.3
SOONER: Final = 0.6
SENT_MEANWHILE: Final = 0.7
"""Share of the scans that the flushes send which are ended."""
ENDED: Final = -signal.SIGALRM


def flush(url: str, path: Path) -> None:
    """Flush an outbox."""
    with Waybill(url, api_key=os.environ["WAYBILL_API_KEY"]) as client, Outbox(path) as outbox:
        outbox.flush(client)


def flush_and_end(url: str, path: Path, within_s: float, least: int) -> None:
    """Flush an outbox; this process ends after so many seconds, and leaves at least `least` scans."""
    left, send = pending(path), Sender.send

    def send_a_share(sender: Sender, lines: Sequence[str]) -> Verdicts:
        nonlocal left
        if left <= least:
            signal.pause()
        left -= len(lines)
        return send(sender, lines)

    Sender.send = send_a_share  # type: ignore[assignment, method-assign]  # in this process only
    signal.setitimer(signal.ITIMER_REAL, within_s)
    flush(url, path)


def pending(path: Path) -> int:
    """Return how many scans wait."""
    with Outbox(path) as outbox:
        return outbox.status().pending


def main(url: str, path: Path, kills: int, seed: int) -> None:
    """End flushes at random moments, a part of the scans sent between each two, and flush the rest."""
    chance, within_s, waiting = random.Random(seed), FIRST_WITHIN_S, [pending(path)]  # noqa: S311  # repeatable
    while len(waiting) <= kills:
        planned = round(waiting[0] * (1 - SENT_MEANWHILE * len(waiting) / kills))
        code = forked(partial(flush_and_end, url, path, chance.uniform(0.001, within_s), planned))
        if code != ENDED:
            sys.exit(f"a flush ended with {code} after {len(waiting) - 1} deaths: {waiting}")
        waiting.append(pending(path))
        within_s *= LATER if waiting[-1] > planned else SOONER
    flush(url, path)
    sys.stdout.write(json.dumps(waiting))


if __name__ == "__main__":
    flushing.MAX_LINES = int(sys.argv[5])  # type: ignore[misc]  # for this process only
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
