"""Descriptions of the login and of the list of users."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from httpkit.openapi.operations import Key, Operation, ResponseSpec, json_content
from httpkit.openapi.pagination import page_of
from httpkit.response.error_codes import ErrorCode
from query_api.handlers.login import LOGIN_BODY
from query_api.openapi import samples
from query_api.openapi.response_models import Token, UserPage
from query_api.schemas.list_queries import PAGE_QUERY

TAG: Final = "access"

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/auth/login"): Operation(
        name="logIn",
        tag=TAG,
        summary="Log in",
        description="Returns a token. Send it as `Authorization: Bearer …` with every other call.",
        body=json_content(LOGIN_BODY, driver={"username": "driver_user_001", "password": "password123"}),
        responses={
            200: ResponseSpec(
                "The token.",
                json_content(TypeAdapter(Token), token=samples.TOKEN),
                headers=("Cache-Control",),
            ),
        },
        errors=(ErrorCode.INVALID_CREDENTIALS, ErrorCode.TOO_MANY_ATTEMPTS),
    ),
    ("GET", "/auth/users"): Operation(
        name="listUsers",
        tag=TAG,
        summary="List users",
        query=PAGE_QUERY,
        query_examples={"limit": 10},
        responses={
            200: ResponseSpec(
                "A page of users, by name, without their secrets.",
                json_content(TypeAdapter(UserPage), users=page_of(samples.USER)),
                headers=("Cache-Control",),
            ),
        },
    ),
}
