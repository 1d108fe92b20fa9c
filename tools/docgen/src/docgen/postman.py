"""A Postman collection (v2.1) made from the OpenAPI document; a run from top to bottom cleans up."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from docgen.openapi import openapi
from docgen.postman_steps import STEPS, Step

Json = dict[str, Any]

SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
VARIABLES: Final[Mapping[str, str]] = {
    "baseUrl": "http://localhost:8080",
    "username": "admin_user",
    "password": "password123",
}
_ABOUT: Final = """Run it whole, from top to bottom, or a folder after those before it: each request stores
the variables of later ones. It asserts on every response, and deletes what it has created. `username`
is an admin."""


def postman() -> Json:
    """Return the collection; a step whose operation the document does not have is left out."""
    document = openapi()
    operations = {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    return {
        "info": {
            "_postman_id": str(uuid5(NAMESPACE_URL, "waybill")),
            "name": document["info"]["title"],
            "description": f"{document['info']['description']}\n\n{_ABOUT}",
            "schema": SCHEMA,
        },
        "auth": _bearer("token"),
        "variable": [{"key": key, "value": value, "type": "string"} for key, value in VARIABLES.items()],
        "item": [
            {
                "name": folder,
                "item": [
                    _item(step, *operations[step.operation]) for step in steps if step.operation in operations
                ],
            }
            for folder, steps in STEPS.items()
        ],
    }


def _bearer(variable: str) -> Json:
    return {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}]}


def _item(step: Step, method: str, path: str, operation: Json) -> Json:
    events = [_script("test", _assertions(step))]
    if step.before:
        events.insert(0, _script("prerequest", step.before))
    return {
        "name": step.name or operation["summary"],
        "event": events,
        "request": _request(step, method, path, operation),
    }


def _assertions(step: Step) -> Iterable[str]:
    yield f"pm.test('status is {step.status}', () => pm.response.to.have.status({step.status}));"
    if step.checks:
        yield "const response = pm.response.json();"
        yield "pm.test('body is as expected', () => {"
        yield from (f"  {line}" for line in step.checks)
        yield "});"


def _request(step: Step, method: str, path: str, operation: Json) -> Json:
    parameters = operation.get("parameters", [])
    request: Json = {
        "method": method.upper(),
        "description": operation["description"],
        "header": [_header(step, each) for each in parameters if each["in"] == "header"],
        "url": _url(step, path, parameters),
    }
    if not operation["security"]:
        request["auth"] = {"type": "noauth"}
    elif step.bearer != "token":
        request["auth"] = _bearer(step.bearer)
    if "requestBody" in operation:
        media_type, content = next(iter(operation["requestBody"]["content"].items()))
        request["header"].insert(0, {"key": "Content-Type", "value": media_type})
        examples = content["examples"]
        example = examples[step.example or next(iter(examples))]["value"]
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps({**example, **step.body}, indent=2, ensure_ascii=False),
        }
    return request


def _header(step: Step, parameter: Json) -> Json:
    name = parameter["name"]
    return {
        "key": name,
        "value": step.headers.get(name, str(parameter["example"])),
        "description": parameter["description"],
        "disabled": name not in step.headers,
    }


def _url(step: Step, path: str, parameters: Iterable[Json]) -> Json:
    segments = [
        f":{part[1:-1]}" if part.startswith("{") else part for part in path.removeprefix("/").split("/")
    ]
    query = [
        {
            "key": each["name"],
            "value": step.query.get(each["name"], _text(each.get("example", ""))),
            "disabled": each["name"] not in step.query,
        }
        for each in parameters
        if each["in"] == "query"
    ]
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    url: Json = {
        "raw": "/".join(["{{baseUrl}}", *segments]) + (f"?{sent}" if sent else ""),
        "host": ["{{baseUrl}}"],
        "path": segments,
    }
    if query:
        url["query"] = query
    in_path = [each for each in parameters if each["in"] == "path"]
    if in_path:
        url["variable"] = [
            {"key": each["name"], "value": step.path.get(each["name"], str(each["example"]))}
            for each in in_path
        ]
    return url


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _script(listen: str, lines: Iterable[str]) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": list(lines)}}
