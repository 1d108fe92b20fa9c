"""GET /auth/users: who may log in, without secrets."""

from typing import Any

from aiohttp import web

from domain.ports import User
from httpkit.bodies import read_query
from httpkit.responses import json_response
from query_api.adapters import ADAPTERS
from query_api.pages import PAGE_QUERY, page_body


async def list_users(request: web.Request) -> web.Response:
    """Answer with a page of users, by name."""
    query = read_query(request, PAGE_QUERY)
    found, total = await request.app[ADAPTERS].users.page(limit=query.limit, offset=query.offset)
    return json_response(page_body([_shown(user) for user in found], total, query))


def _shown(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "role": user.role,
        "client_id": user.client_id,
        "disabled": user.disabled,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
