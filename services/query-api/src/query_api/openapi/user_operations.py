"""How making and changing users and their API keys is described."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.types import StringConstraints
from typing_extensions import TypedDict

from domain.errors import ErrorCode
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
from query_api.openapi import samples
from query_api.openapi.answers import Token, User
from query_api.openapi.login_operations import TAG
from query_api.schemas.bodies import NEW_USER, PASSWORD_CHANGE, TOKEN_REQUEST, USER_CHANGE, Username

KEY_ID: Final = "mzxw6ytboi2gk3tm"
API_KEY: Final = f"wb_live_{KEY_ID}_mCnHcPqjUYbA0qZ0Yp1zvJv2m0cQm8x0b7o5Zr3aW9k"
CREATED_AT: Final = "2026-11-02T14:02:11.402Z"

_UNKEPT: Final = ("Cache-Control",)
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
        summary="An API key for a token",
        description="The token ends with the key.",
        body=json_content(TOKEN_REQUEST, key={"api_key": API_KEY}),
        replies={
            200: ResponseSpec(
                "The token.",
                json_content(TypeAdapter(Token), token=samples.TOKEN),
                headers=_UNKEPT,
            )
        },
        errors=(ErrorCode.INVALID_CREDENTIALS,),
    ),
    ("POST", "/auth/logout"): Operation(
        name="logOut",
        tag=TAG,
        summary="The end of this token",
        description="Every service refuses it within seconds.",
        replies={204: ResponseSpec("The token has ended.", headers=_UNKEPT)},
    ),
    ("POST", "/auth/password"): Operation(
        name="changeOwnPassword",
        tag=TAG,
        summary="Another password for oneself",
        description="The other tokens of the user end; the one that this is asked with goes on. A wrong "
        "current password counts as a failed login.",
        body=json_content(
            PASSWORD_CHANGE,
            change={"current_password": "blue-truck-seven", "new_password": "green-train-eight"},
        ),
        replies={204: ResponseSpec("The new password holds.", headers=_UNKEPT)},
        errors=(ErrorCode.INVALID_CREDENTIALS, ErrorCode.TOO_MANY_ATTEMPTS),
    ),
    ("POST", "/auth/users"): Operation(
        name="createUser",
        tag=TAG,
        summary="A new user",
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
        replies={
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
        summary="One user",
        parameters=(_USERNAME,),
        replies={200: ResponseSpec("The user.", json_content(_USER, user=samples.USER), headers=_UNKEPT)},
        errors=(ErrorCode.USER_NOT_FOUND,),
    ),
    ("PATCH", "/auth/users/{username}"): Operation(
        name="changeUser",
        tag=TAG,
        summary="A user with another role, client, password or sources, disabled or enabled",
        description="What is absent or null stays. The tokens that the user has are refused from then on.",
        parameters=(_USERNAME,),
        body=patch_content(
            USER_CHANGE,
            disable={"disabled": True},
            password={"password": "blue-truck-eight"},
            sources={"allowed_sources": ["driver-017"]},
        ),
        replies={200: ResponseSpec("The user.", json_content(_USER, user=samples.USER), headers=_UNKEPT)},
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.OWN_ACCOUNT, ErrorCode.LAST_ADMIN),
    ),
    ("GET", "/auth/users/{username}/api-keys"): Operation(
        name="listApiKeys",
        tag=TAG,
        summary="The API keys of a user",
        parameters=(_USERNAME,),
        replies={
            200: ResponseSpec(
                "The keys, without their secrets.",
                json_content(
                    TypeAdapter(ApiKeyList),
                    keys={"data": [{"id": KEY_ID, "created_at": CREATED_AT, "last_used_at": None}]},
                ),
                headers=_UNKEPT,
            )
        },
        errors=(ErrorCode.USER_NOT_FOUND,),
    ),
    ("POST", "/auth/users/{username}/api-keys"): Operation(
        name="createApiKey",
        tag=TAG,
        summary="A new API key",
        description="The key is shown in this answer and nowhere else.",
        parameters=(_USERNAME,),
        replies={
            201: ResponseSpec(
                "The key.",
                json_content(
                    TypeAdapter(NewApiKey),
                    key={"id": KEY_ID, "api_key": API_KEY, "created_at": CREATED_AT},
                ),
                headers=_UNKEPT,
                links={"remove": Link("deleteApiKey", _MADE)},
            )
        },
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.API_KEY_LIMIT_REACHED),
    ),
    ("DELETE", "/auth/users/{username}/api-keys/{key_id}"): Operation(
        name="deleteApiKey",
        tag=TAG,
        summary="The end of an API key",
        description="The tokens that it was exchanged for end with it.",
        parameters=(_USERNAME, _KEY),
        replies={204: ResponseSpec("The key has ended.", headers=_UNKEPT)},
        errors=(ErrorCode.USER_NOT_FOUND, ErrorCode.API_KEY_NOT_FOUND),
    ),
}
