"""The table of permissions covers every route."""

import re

import pytest

from ingest_api.routes import ROUTES as INGEST_ROUTES
from query_api.routes import ROUTES as QUERY_ROUTES
from tests.support.access_table import access_table
from webhooks.routes import ROUTES as WEBHOOK_ROUTES

ELSEWHERE = {
    "POST /auth/login": "tests/e2e/test_tokens.py",
    "POST /auth/token": "tests/e2e/test_access.py",
    "POST /auth/password": "tests/e2e/test_access.py: it would end the tokens that the table's callers share",
    "POST /auth/logout": "tests/e2e/test_access.py: it would end the tokens that the table's callers share",
}


EXPECTED = access_table()
PLACEHOLDER = re.compile(r"{(\w+):[^{}]+}")


def routes() -> list[str]:
    plain = [
        (route.method, PLACEHOLDER.sub(r"{\1}", route.path))
        for route in (*INGEST_ROUTES, *QUERY_ROUTES, *WEBHOOK_ROUTES)
    ]
    return sorted(f"{method} {path}" for method, path in plain)


@pytest.mark.parametrize("route", routes())
def test_every_route_is_in_the_table_or_names_its_page(route: str) -> None:
    pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(route)))
    stated = [row for row in EXPECTED if pattern.fullmatch(row.partition("?")[0].partition(" for ")[0])]
    assert bool(stated) != (route in ELSEWHERE)
