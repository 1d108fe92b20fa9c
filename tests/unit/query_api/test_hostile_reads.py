"""Hostile queries, ids and entity tags of query-api."""

from urllib.parse import quote

import pytest

from tests.support.builders import NUMBER
from tests.support.hostile import LARGEST_TARGET, hostile, quick
from tests.unit.query_api.conftest import ADMIN, Api

PARAMETERS = (
    "client_id",
    "created_from",
    "cursor",
    "limit",
    "offset",
    "status",
    "tracking_number",
    "nothing",
)
PATHS = ("/shipments/{}", "/events/{}", "/dead-letters/{}", "/docs/{}", "/shipments/{}/events", "/{}")


def targets(form: str) -> list[str]:
    """Yield targets of the maximum length, and shorter ones for bytes that are encoded as three."""
    longest = (quote(text, safe="")[: LARGEST_TARGET - 100].rstrip("%2") for text in hostile(LARGEST_TARGET))
    return [form.format(text or "x") for text in longest]


@pytest.mark.parametrize("name", PARAMETERS)
async def test_hostile_parameter_takes_bounded_time(name: str, api: Api) -> None:
    for target in targets(f"/shipments?{name}={{}}"):
        with quick(target[:60]):
            assert (await api.get(target)).status < 500


@pytest.mark.parametrize("path", PATHS)
async def test_hostile_id_takes_bounded_time(path: str, api: Api) -> None:
    for target in targets(path):
        with quick(target[:60]):
            assert (await api.get(target)).status < 500


async def test_hostile_tag_takes_bounded_time(api: Api) -> None:
    for text in hostile(LARGEST_TARGET):
        with quick(text[:60]):
            assert (await api.get("/openapi.json", headers={"If-None-Match": text})).status == 200
            assert (await api.get(f"/shipments/{NUMBER}", ADMIN, {"If-None-Match": text})).status == 404
