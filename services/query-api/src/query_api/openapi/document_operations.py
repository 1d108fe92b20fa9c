"""Descriptions of the routes of the API's documentation."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import TypeAdapter, WithJsonSchema

from httpkit.openapi.operations import TEXT, Content, Key, Operation, Parameter, ResponseSpec, json_content
from httpkit.response.error_codes import ErrorCode
from query_api.handlers.documents import ASSETS, BEGINNING, START_NAME

TAG: Final = "contract"

_FILES: Final = sorted([*ASSETS, START_NAME])
_CACHED: Final = ("ETag", "Cache-Control")
_TEXTS: Final = TypeAdapter(dict[str, str])
_OBJECT: Final = TypeAdapter(dict[str, object])
_BYTES: Final = TypeAdapter(Annotated[bytes, WithJsonSchema({})])
_ASSET: Final = Parameter(
    "asset",
    "path",
    "Name of a file of the documentation page.",
    TypeAdapter(Annotated[str, WithJsonSchema({"type": "string", "enum": _FILES})]),
    START_NAME,
)
_KNOWN: Final = ResponseSpec("Nothing has changed.", headers=_CACHED)

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/"): Operation(
        name="getStart",
        tag=TAG,
        summary="Get the entry points of the API",
        responses={
            200: ResponseSpec("The entry points, for programs.", json_content(_TEXTS, start=BEGINNING)),
            302: ResponseSpec(
                "Redirect to the documentation page, if `Accept` includes text/html.", headers=("Location",)
            ),
        },
    ),
    ("GET", "/openapi.json"): Operation(
        name="getContract",
        tag=TAG,
        summary="Get this OpenAPI document",
        responses={
            200: ResponseSpec(
                "The OpenAPI 3.1 document.",
                json_content(_OBJECT, start={"openapi": "3.1.0"}),
                headers=_CACHED,
            ),
            304: _KNOWN,
        },
    ),
    ("GET", "/docs"): Operation(
        name="getDocs",
        tag=TAG,
        summary="Get the documentation page (Swagger UI)",
        responses={
            200: ResponseSpec(
                "The page.",
                {"text/html": Content(TEXT, {"start": "<!doctype html>"})},
                headers=_CACHED,
            ),
            304: _KNOWN,
        },
    ),
    ("GET", "/docs/{asset}"): Operation(
        name="getDocsAsset",
        tag=TAG,
        summary="Get a file of the documentation page",
        parameters=(_ASSET,),
        responses={
            200: ResponseSpec(
                "The file.",
                {
                    "text/javascript": Content(TEXT, {"start": "SwaggerUIBundle({})"}),
                    "text/css": Content(TEXT, {"start": ".swagger-ui{}"}),
                    "image/png": Content(_BYTES, {}),
                },
                headers=_CACHED,
            ),
            304: _KNOWN,
        },
        errors=(ErrorCode.NOT_FOUND,),
    ),
}
