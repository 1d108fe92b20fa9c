"""Minutes of random faults from one seed: every accepted event is applied once, in order."""

import os
from pathlib import Path

import pytest

from tests.faults.run import run_schedule

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

RATE = 600.0
FEWEST_FAULTS = 3


@pytest.mark.parametrize(
    ("seed", "minutes"), [(20261127, 0.5), pytest.param(20261128, 2.0, marks=pytest.mark.long)]
)
async def test_minutes_of_faults_break_no_guarantee(tmp_path: Path, seed: int, minutes: float) -> None:
    if os.environ.get("WAYBILL_STACK", "embedded") != "embedded":
        pytest.skip("a stack that belongs to somebody else cannot be broken")
    report = await run_schedule(tmp_path, seed=seed, minutes=minutes, rate=RATE)
    assert report.violations == [], report.as_dict()
    assert report.fault_count >= FEWEST_FAULTS
    assert report.records >= report.acknowledged > 0
    assert all(report.corrections[each] > 0 for each in ("released", "retracted", "not retracted"))
