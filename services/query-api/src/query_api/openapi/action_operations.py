"""Description of the log of operator actions."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.operations import Key, Operation, ResponseSpec, json_content
from httpkit.openapi.pagination import cursor_page_of
from query_api.openapi import samples
from query_api.openapi.response_models import OperatorActionPage
from query_api.schemas.list_queries import ACTION_QUERY

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/operator-actions"): Operation(
        name="listOperatorActions",
        tag="operations",
        summary="List operator actions",
        description="Manual actions of operators, newest first. Entries are never removed.",
        query=ACTION_QUERY,
        query_examples={"target": "dl_7_48213", "limit": 10},
        responses={
            200: ResponseSpec(
                "A page of actions.",
                json_content(TypeAdapter(OperatorActionPage), one=cursor_page_of(samples.DISCARDED)),
                headers=("Link", "Cache-Control"),
            ),
        },
    ),
}
