"""A release rolls over the one before under load, and back: nothing is lost, twice, or out of order."""

import os
from pathlib import Path

import pytest

from tests.faults.matrix import Row
from tests.support.fault_table import Recovery
from tests.upgrade.journey import Itinerary, travel
from tests.upgrade.release import last_release

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(900)]

ITINERARY = Itinerary(rate=200.0, calm_s=1.0)


@pytest.mark.fault(Row.UPGRADE)
async def test_data_of_the_last_release_is_taken_up_service_by_service_and_handed_back(
    tmp_path: Path, recovery: Recovery
) -> None:
    if os.environ.get("WAYBILL_STACK", "embedded") != "embedded":
        pytest.skip("a stack that belongs to somebody else cannot be upgraded")
    report = await travel(tmp_path, last_release(), ITINERARY)
    assert report.violations == []
    assert report.records >= report.acknowledged > 0
    recovery.took(report.worst_s)
