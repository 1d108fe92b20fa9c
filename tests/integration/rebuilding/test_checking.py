"""`check` on real servers: equal after a day of all that can happen, and each damage found and named."""

import pytest

from processor.rebuilding.checking import Source
from tests.integration.rebuilding.day import SHIPMENTS_OF_A_DAY, checked, spend
from tests.support.site import Site

pytestmark = pytest.mark.stack


async def test_a_day_can_be_rebuilt(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await spend(site, monkeypatch)
    for source in Source:
        report, said = await checked(site, source)
        assert said == []
        assert report.shipments == SHIPMENTS_OF_A_DAY
        assert report.events > report.shipments
