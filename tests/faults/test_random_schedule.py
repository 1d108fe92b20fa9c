"""Minutes of random faults from one seed: every accepted event is applied once, in order."""

import os
from pathlib import Path

import pytest

from tests.faults.run import run_schedule
from tests.faults.schedule import SINGLE_SERVERS, Shape

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

RATE = 600.0
FEWEST_FAULTS = 3


@pytest.mark.parametrize(
    ("seed", "minutes", "shape"),
    [
        (20261127, 0.5, SINGLE_SERVERS),
        pytest.param(20261128, 2.0, SINGLE_SERVERS, marks=pytest.mark.long),
        pytest.param(20261201, 2.0, Shape(sentinels=3, members=3, brokers=3), marks=pytest.mark.long),
    ],
    ids=["short", "long", "three of each store"],
)
async def test_minutes_of_faults_break_no_guarantee(
    tmp_path: Path, seed: int, minutes: float, shape: Shape
) -> None:
    if os.environ.get("WAYBILL_STACK", "embedded") != "embedded":
        pytest.skip("a stack that belongs to somebody else cannot be broken")
    report = await run_schedule(tmp_path, seed=seed, minutes=minutes, rate=RATE, shape=shape)
    assert report.violations == [], report.as_dict()
    assert report.fault_count >= FEWEST_FAULTS
    assert report.records >= report.acknowledged > 0
    assert all(report.corrections[each] > 0 for each in ("released", "retracted", "not retracted"))
