"""Descriptions of the management of users and API keys."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.types import StringConstraints
from typing_extensions import TypedDict

from httpkit.openapi.identifiers import Instant
from httpkit.openapi.operations import (
    Key,
    Link,
    Operation,
    Parameter,
    ResponseSpec,
    json_content,
    patch_content,
)
from httpkit.response.error_codes import ErrorCode
from query_api.openapi import samples
from query_api.openapi.login_operations import TAG
from query_api.openapi.response_models import Token, User
from query_api.schemas.bodies import NEW_USER, PASSWORD_CHANGE, TOKEN_REQUEST, USER_CHANGE, Username

KEY_ID: Final = "mzxw6ytboi2gk3tm"
API_KEY: Final = f"wb_live_{KEY_ID}_mCnHcPqjUYbA0qZ0Yp1zvJv2m0cQm8x0b7o5Zr3aW9k"
CREATED_AT: Final = "2026-11-02T14:02:11.402Z"

_NO_STORE: Final = ("Cache-Control",)
_CLOSED = ConfigDict(extra="forbid")
_KeyId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{16}$")]


class ApiKey(TypedDict):
    """An API key, without its secret."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    id: str
    created_at: Instant
    last_used_at: Instant | None


class ApiKeyList(TypedDict):
    """The API keys of a user, oldest first."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    data: list[ApiKey]


class NewApiKey(TypedDict):
    """An API key, shown this once."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    id: str
    api_key: str
    created_at: Instant


_USERNAME: Final = Parameter("username", "path", "A user, by name.", TypeAdapter(Username), "driver_017")
_KEY: Final = Parameter("key_id", "path", "An API key, by its id.", TypeAdapter(_KeyId), KEY_ID)
_MADE: Final = {"username": "$request.path.username", "key_id": "$response.body#/id"}
_USER: Final = TypeAdapter(User)

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", "/auth/token"): Operation(
        name="exchangeApiKey",
        tag=TAG,
        summary="Exchange an API key for a token",
        description="The token is revoked with the key.",
        body=json_content(TOKEN_REQUEST, key={"api_key": API_KEY}),
        responses={
            200: ResponseSpec(
                "The token.",
                json_content(TypeAdapter(Token), token=samples.TOKEN),
                headers=_NO_STORE,
            )
        },
        errors=(ErrorCode.INVALID_CREDENTIALS,),
    ),
    ("POST", "/auth/logout"): Operation(
        name="logOut",
        tag=TAG,
        summary="Log out",
        description="Revokes the token of this request; every service rejects it within seconds.",
        responses={204: ResponseSpec("The token is revoked.", headers=_NO_STORE)},
    ),
    ("POST", "/auth/password"): Operation(
        name="changeOwnPassword",
        tag=TAG,
        summary="Change your own password",
        description="Revokes the user's other tokens; the token of this request stays valid. A wrong current "
        "password counts as a failed login.",
        body=json_content(
            PASSWORD_CHANGE,
            change={"current_password": "blue-truck-seven", "new_password": "green-train-eight"},
        ),
        responses={204: ResponseSpec("The password is changed.", headers=_NO_STORE)},
        errors=(ErrorCode.INVALID_CREDENTIALS, ErrorCode.TOO_MANY_ATTEMPTS),
    ),
    ("POST", "/auth/users"): Operation(
        name="createUser",
        tag=TAG,
        summary="Create a user",
        description="A producer with `allowed_sources` may report events only of sources that begin with one "
        "of them; with none, of any source.",
        body=json_content(
            NEW_USER,
            driver={
                "username": "driver_017",
                "password": "blue-truck-seven",
                "role": "producer",
                "allowed_sources": ["driver-017"],
            },
            client={
                "username": "acme",
                "password": "blue-truck-seven",
                "role": "client",
                "client_id": "client_001",
            },
        ),
        responses={
            201: ResponseSpec(
                "The user.",
                json_content(_USER, user=samples.USER),
                headers=("Location", "Cache-Control"),
                links={
                    name: Link(operation, {"username": "$response.body#/username"})
                    for name, operation in (
                        ("user", "getUser"),
                        ("change", "changeUser"),
                        ("keys", "listApiKeys"),
                        ("key", "createApiKey"),
                    )
                },
            )
        },
        errors=(ErrorCode.USERNAME_TAKEN,),
    ),
    ("GET", "/auth/users/{username}"): Operation(
        name="getUser",
        tag=TAG,
        summary="Get a user",
        parameters=(_USERNAME,),
        responses={200: ResponseSpec("The user.", json_content(_USER, user=samples.USER), headers=_NO_STORE)},
        errors=(ErrorCode.USER_NOT_FOUND,),
    ),
    ("PATCH", "/auth/users/{username}"): Operation(
        name="changeUser",
        tag=TAG,
        summary="Change, disable or enable a user",
        description="Changes role, client, password, sources or `disabled`; absent or null fields are left "
        "unchanged. The user's existing tokens are revoked.",
        parameters=(_USERNAME,),
        body=patch_content(
            USER_CHANGE,
            disable={"disabled": True},
            password={"password": "blue-truck-eight"},
            sources={"allowed_sources": ["driver-017"]},
        ),
        responses={200: ResponseSpec("The user.", json_content(_USER, user=samples.USER), headers=_NO_STORE)},
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.OWN_ACCOUNT, ErrorCode.LAST_ADMIN),
    ),
    ("GET", "/auth/users/{username}/api-keys"): Operation(
        name="listApiKeys",
        tag=TAG,
        summary="List the API keys of a user",
        parameters=(_USERNAME,),
        responses={
            200: ResponseSpec(
                "The keys, without their secrets.",
                json_content(
                    TypeAdapter(ApiKeyList),
                    keys={"data": [{"id": KEY_ID, "created_at": CREATED_AT, "last_used_at": None}]},
                ),
                headers=_NO_STORE,
            )
        },
        errors=(ErrorCode.USER_NOT_FOUND,),
    ),
    ("POST", "/auth/users/{username}/api-keys"): Operation(
        name="createApiKey",
        tag=TAG,
        summary="Create an API key",
        description="The key is returned in this response only.",
        parameters=(_USERNAME,),
        responses={
            201: ResponseSpec(
                "The key.",
                json_content(
                    TypeAdapter(NewApiKey),
                    key={"id": KEY_ID, "api_key": API_KEY, "created_at": CREATED_AT},
                ),
                headers=_NO_STORE,
                links={"remove": Link("deleteApiKey", _MADE)},
            )
        },
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.API_KEY_LIMIT_REACHED),
    ),
    ("DELETE", "/auth/users/{username}/api-keys/{key_id}"): Operation(
        name="deleteApiKey",
        tag=TAG,
        summary="Delete an API key",
        description="Revokes the tokens that it was exchanged for.",
        parameters=(_USERNAME, _KEY),
        responses={204: ResponseSpec("The key is deleted.", headers=_NO_STORE)},
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.API_KEY_NOT_FOUND),
    ),
}
