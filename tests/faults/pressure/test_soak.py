"""The soak's own code, in seconds: its load, samples and checks."""

import os
from pathlib import Path

import pytest
from bench.soak import Plan, report, soak

from devstack.home.stack_file import SERVICES
from tests.support.ports import unused_port
from tests.support.stack import start_stack

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(400)]


async def test_a_short_soak_loses_nothing_and_reports(tmp_path: Path) -> None:
    plan = Plan(minutes=0.4, warm_up_s=5, capacity_events=4000, share=0.25, sample_every_s=2)
    with start_stack(tmp_path, env={**os.environ, "ENV": "development"}, port=unused_port()) as stack:
        result = await soak(stack, plan)

    assert list(result.wrong) == []
    assert result.soaking is not None
    assert result.soaking.blocks > 0
    assert set(result.soaking.responses) <= {200, 201, 202, 404, 409, 503}
    assert len(result.samples.series[f"{SERVICES[0]} RSS MiB"]) >= 5
    assert result.samples.eternal_keys == set()
    assert "verdict" in report(result)
