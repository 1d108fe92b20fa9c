"""Expected totals of the data set, computed by the rules and committed as `expected.json`.

`python -m demo.dataset.known_answer` writes that file.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from demo.dataset.generate import generate
from demo.dataset.model import Numbers, derived_numbers, expected_after, with_strays
from demo.dataset.records import DataSet
from demo.ledger import Deliveries, Ledger, Standing, deliveries_between, standing

EXPECTED: Final = Path(__file__).with_name("expected.json")
NOTHING: Final = Ledger({}, {})


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """Expected totals of a run.

    Attributes:
        sent: scans in the data set.
        standing: the totals of the ledger after any run.
        first_run: counts of the deliveries of the first run.
        later_run: counts of the deliveries of every later run.
    """

    sent: int
    standing: Standing
    first_run: Deliveries
    later_run: Deliveries


def known_answer(data: DataSet, numbers: Numbers | None = None) -> KnownAnswer:
    """Compute the expected totals by the rules of the domain."""
    everything = with_strays(data, derived_numbers(data) if numbers is None else numbers)
    once = expected_after(data, everything, before=NOTHING)
    twice = expected_after(data, everything, before=once)
    return KnownAnswer(
        len(data.scans), standing(once), deliveries_between(NOTHING, once), deliveries_between(once, twice)
    )


def load() -> KnownAnswer:
    """Read the committed answer."""
    answer = json.loads(EXPECTED.read_text("utf-8"))
    return KnownAnswer(
        answer["sent"],
        Standing(**answer["standing"]),
        Deliveries(**answer["first_run"]),
        Deliveries(**answer["later_run"]),
    )


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps(asdict(known_answer(generate())), indent=2) + "\n", "utf-8")
