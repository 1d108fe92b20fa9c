"""The generated documents are valid, complete and match the current code."""

import json
from collections import Counter
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from docgen.asyncapi import GOLDEN, asyncapi
from docgen.documents import DOCUMENTS, ROOT
from docgen.messages import Change
from docgen.openapi import openapi, openapi_at_length
from docgen.postman import postman
from docgen.settings_table import settings
from httpkit.openapi.error_catalogue import ERROR_CATALOGUE
from httpkit.openapi.operations import Operation, ResponseSpec, UndescribedRoute, described
from httpkit.response.error_codes import ErrorCode
from httpkit.routes import Route
from messaging.codec import AMENDED_TYPE, CREATED_TYPE, STATUS_TYPE
from messaging.topics import Topics
from portal.routes import ROUTES as PORTAL_ROUTES
from query_api.routes import ROUTES as QUERY_ROUTES


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_committed_documents_match_the_code(path: Path) -> None:
    assert path.read_text() == DOCUMENTS[path](), "run `make contract` and commit what it writes"


def test_every_setting_is_explained() -> None:
    found = settings()
    assert {"MONGO_URI", "JWT_SECRET", "PROCESSOR_GROUP", "LIMIT_READS_PER_S"} <= {
        each.name for each in found
    }
    assert [each.name for each in found if not each.meaning] == [], "say it in the docstring of its group"


def test_the_openapi_document_is_one() -> None:
    assert list(OpenAPIV31SpecValidator(json.loads(json.dumps(openapi()))).iter_errors()) == []


def test_shared_responses_mean_what_stood_there() -> None:
    shared = openapi()
    components = shared["components"].pop("responses")
    uses = Counter[str]()
    for operations in shared["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    name = response["$ref"].removeprefix("#/components/responses/")
                    uses[name] += 1
                    operation["responses"][status] = components[name]
    assert shared == openapi_at_length()
    assert uses.keys() == components.keys()
    assert min(uses.values()) > 1


def test_each_operation_has_a_name_of_its_own_and_examples() -> None:
    operations = [each for methods in openapi()["paths"].values() for each in methods.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    bodies = [each["requestBody"] for each in operations if "requestBody" in each]
    replies = [reply for each in operations for reply in each["responses"].values()]
    bodies += [
        reply for reply in (*replies, *openapi()["components"]["responses"].values()) if "content" in reply
    ]
    contents = [
        (kind, content)
        for body in bodies
        for kind, content in body["content"].items()
        if not kind.startswith("image/")
    ]
    assert all(content["examples"] for _, content in contents)


def test_schemas_have_names_that_a_client_can_use() -> None:
    for document in (openapi(), asyncapi()):
        assert all(name.isalnum() for name in document["components"]["schemas"])


async def _nothing(_request: object) -> None: ...


def test_an_undescribed_route_fails_the_document() -> None:
    route = Route("GET", "/here", _nothing, None)  # type: ignore[arg-type]
    operation = Operation(name="here", tag="x", summary="x", responses={200: ResponseSpec("x")})
    assert described([route], {("GET", "/here"): operation}) == [(route, operation)]
    for routes, operations in (([route], {}), ([], {("GET", "/here"): operation})):
        with pytest.raises(UndescribedRoute, match="GET /here"):
            described(routes, operations)


def test_each_error_code_has_a_meaning() -> None:
    assert set(ERROR_CATALOGUE) == set(ErrorCode)


def test_each_topic_each_stream_and_each_type_on_the_wire_is_in_the_asyncapi_document() -> None:
    document = asyncapi()
    streams = [route.path for route in (*QUERY_ROUTES, *PORTAL_ROUTES) if route.path.endswith("/stream")]
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert addresses == [*Topics().all(), *streams]
    schemas = json.dumps(document["components"]["schemas"])
    assert all(f'"{kind}"' in schemas for kind in (CREATED_TYPE, STATUS_TYPE, AMENDED_TYPE))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("changed_*.json")), ids=lambda path: path.stem)
def test_changes_are_as_described(path: Path) -> None:
    message = path.read_bytes()
    assert TypeAdapter(Change).validate_json(message)["id"] == json.loads(message)["id"]


def test_every_request_of_the_postman_collection_asserts_on_its_response() -> None:
    requests = [item for folder in postman()["item"] for item in folder["item"]]
    assert requests[0]["request"]["url"]["raw"] == "{{baseUrl}}/auth/login"
    assert len({request["name"] for request in requests}) == len(requests)
    for request in requests:
        tests = [event["script"]["exec"] for event in request["event"] if event["listen"] == "test"]
        assert [lines[0] for lines in tests if "to.have.status(" in lines[0]], request["name"]
