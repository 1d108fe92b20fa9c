"""Queries, ids and tags that are made to hold the query API up."""

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
    """Give targets that are as long as the services read, and shorter ones, for bytes that become three."""
    longest = (quote(text, safe="")[: LARGEST_TARGET - 100].rstrip("%2") for text in hostile(LARGEST_TARGET))
    return [form.format(text or "x") for text in longest]


@pytest.mark.parametrize("name", PARAMETERS)
async def test_no_parameter_holds_a_process_up(name: str, api: Api) -> None:
    for target in targets(f"/shipments?{name}={{}}"):
        with quick(target[:60]):
            assert (await api.get(target)).status < 500


@pytest.mark.parametrize("path", PATHS)
async def test_no_id_holds_a_process_up(path: str, api: Api) -> None:
    for target in targets(path):
        with quick(target[:60]):
            assert (await api.get(target)).status < 500


async def test_no_tag_holds_a_process_up(api: Api) -> None:
    for text in hostile(LARGEST_TARGET):
        with quick(text[:60]):
            assert (await api.get("/openapi.json", headers={"If-None-Match": text})).status == 200
            assert (await api.get(f"/shipments/{NUMBER}", ADMIN, {"If-None-Match": text})).status == 404
