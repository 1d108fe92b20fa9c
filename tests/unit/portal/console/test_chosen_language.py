"""Forms of pages in a language that the address names: the API takes no query with a write."""

import re

import pytest

from tests.support.builders import NUMBER, creation
from tests.unit.portal.console.conftest import Console
from tests.unit.query_api.conftest import CLIENT
from tests.unit.query_api.conftest import World as ApiWorld
from tests.unit.query_api.test_shipments import store

PAGES = (
    f"/console/shipments/{NUMBER}?act=cancel",
    "/console/new-user",
    f"/console/users/{CLIENT.subject}?act=disable",
    "/console/account",
    "/console/upload",
    "/console/webhooks/new",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_form_is_sent_to_a_path_without_a_query(
    operator: Console, api_world: ApiWorld, path: str
) -> None:
    await store(api_world, [creation()])
    page = await operator.page(f"{path}{'&' if '?' in path else '?'}lang=pt")
    found = re.findall(r'<form method="post" action="([^"]*)"', page)
    assert len(found) > 1, "the logout, and one of this page"
    assert [action for action in found if "?" in action] == []


async def test_an_act_leads_back_in_the_chosen_language(operator: Console) -> None:
    path = f"/console/users/{CLIENT.subject}"
    headers = {"Referer": f"{operator.origin}{path}?lang=pt"}
    response = await operator.post(path, {"act": "disable"}, headers=headers)
    assert response.status == 303
    assert "lang=pt" in response.headers["Location"]
