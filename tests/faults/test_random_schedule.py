"""A minute of random faults from one seed: every accepted event is applied once, in order."""

import os
from pathlib import Path

import pytest

from tests.faults.run import run_schedule

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

SEED = 20261127
MINUTES = 1.0
RATE = 600.0
FEWEST_FAULTS = 3


async def test_a_minute_of_faults_breaks_no_guarantee(tmp_path: Path) -> None:
    if os.environ.get("WAYBILL_STACK", "embedded") != "embedded":
        pytest.skip("a stack that belongs to somebody else cannot be broken")
    report = await run_schedule(tmp_path, seed=SEED, minutes=MINUTES, rate=RATE)
    assert report.violations == [], report.as_dict()
    assert report.fault_count >= FEWEST_FAULTS
    assert report.records >= report.acknowledged > 0
