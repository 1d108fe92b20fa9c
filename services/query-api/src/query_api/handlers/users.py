"""Handlers of /auth/users: users, without secrets, and their API keys, each shown once."""

from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web

from domain.access.accounts import ApiKey, User
from httpkit.middleware.auth import principal
from httpkit.request.bodies import read_json, read_query
from httpkit.response.json_responses import json_response
from query_api.adapters import ADAPTERS
from query_api.handlers.login import BODY_LIMIT
from query_api.schemas.bodies import NEW_USER, USER_CHANGE
from query_api.schemas.list_queries import PAGE_QUERY, page_body
from query_api.use_cases.access import ACCESS


async def list_users(request: web.Request) -> web.Response:
    """Return a page of users, by name."""
    query = read_query(request, PAGE_QUERY)
    found, total = await request.app[ADAPTERS].users.page(limit=query.limit, offset=query.offset)
    return json_response(page_body([_user_to_json(user) for user in found], total, query))


async def create_user(request: web.Request) -> web.Response:
    """Create a user: 201, or 409 if the name is taken."""
    wanted = await read_json(request, NEW_USER, limit=BODY_LIMIT)
    user = await request.app[ACCESS].accounts.create(wanted, by=principal(request))
    location = f"/auth/users/{quote(user.username, safe='')}"
    return json_response(_user_to_json(user), status=201, headers={hdrs.LOCATION: location})


async def get_user(request: web.Request) -> web.Response:
    """Return one user."""
    return json_response(_user_to_json(await request.app[ACCESS].accounts.get(_username(request))))


async def change_user(request: web.Request) -> web.Response:
    """Change a user's role, client, sources, password or `disabled`; its tokens are revoked."""
    change = await read_json(request, USER_CHANGE, limit=BODY_LIMIT)
    accounts = request.app[ACCESS].accounts
    return json_response(
        _user_to_json(await accounts.change(_username(request), change, by=principal(request)))
    )


async def list_keys(request: web.Request) -> web.Response:
    """Return a user's API keys, without their secrets."""
    keys = await request.app[ACCESS].api_keys.of_user(_username(request))
    return json_response({"data": [_key_to_json(key) for key in keys]})


async def create_key(request: web.Request) -> web.Response:
    """Create an API key and return it, this once."""
    key, text = await request.app[ACCESS].api_keys.create(_username(request), by=principal(request))
    body = {"id": key.key_id, "api_key": text, "created_at": key.created_at}
    return json_response(body, status=201)


async def delete_key(request: web.Request) -> web.Response:
    """Delete an API key and revoke its tokens."""
    keys, key_id = request.app[ACCESS].api_keys, request.match_info["key_id"]
    await keys.remove(_username(request), key_id, by=principal(request))
    return web.Response(status=web.HTTPNoContent.status_code)


def _username(request: web.Request) -> str:
    return request.match_info["username"]


def _user_to_json(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "role": user.role,
        "client_id": user.client_id,
        "disabled": user.disabled,
        "allowed_sources": list(user.allowed_sources),
        "seeded": user.seeded,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def _key_to_json(key: ApiKey) -> dict[str, Any]:
    return {"id": key.key_id, "created_at": key.created_at, "last_used_at": key.last_used_at}
