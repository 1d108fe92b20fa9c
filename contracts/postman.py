"""A Postman collection (v2.1) made from the OpenAPI document: log in once, and every call has the token."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from contracts.openapi import openapi

Json = dict[str, Any]

SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
LOGIN: Final = "logIn"
VARIABLES: Final[Mapping[str, str]] = {
    "baseUrl": "http://localhost:8080",
    "username": "admin_user",
    "password": "password123",
    "token": "",
    "tracking_number": "",
    "event_id": "",
}
KEEP_TOKEN: Final = [
    "pm.test('logged in', () => pm.response.to.have.status(200));",
    "pm.collectionVariables.set('token', pm.response.json().token);",
]
KEEP_IDS: Final = [
    "pm.test('accepted', () => pm.expect(pm.response.code).to.be.within(200, 299));",
    "const answer = pm.response.json();",
    "for (const name of ['tracking_number', 'event_id']) {",
    "  if (answer[name]) pm.collectionVariables.set(name, answer[name]);",
    "}",
]


def postman() -> Json:
    """Return the collection."""
    document = openapi()
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    folders = groupby(operations, key=lambda each: each[2]["tags"][0])
    return {
        "info": {
            "_postman_id": str(uuid5(NAMESPACE_URL, "waybill")),
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": key, "value": value, "type": "string"} for key, value in VARIABLES.items()],
        "item": [
            {"name": tag, "item": [_item(*each) for each in _login_first(members)]}
            for tag, members in folders
        ],
    }


def _login_first(members: Iterable[tuple[str, str, Json]]) -> list[tuple[str, str, Json]]:
    return sorted(members, key=lambda each: each[2]["operationId"] != LOGIN)


def _item(method: str, path: str, operation: Json) -> Json:
    item: Json = {"name": operation["summary"], "request": _request(method, path, operation)}
    if operation["operationId"] == LOGIN:
        item["event"] = [_test(KEEP_TOKEN)]
    elif method == "post" and operation["tags"][0] in ("shipments", "events"):
        item["event"] = [_test(KEEP_IDS)]
    return item


def _request(method: str, path: str, operation: Json) -> Json:
    request: Json = {
        "method": method.upper(),
        "description": operation["description"],
        "header": [_header(each) for each in operation.get("parameters", ()) if each["in"] == "header"],
        "url": _url(path, operation.get("parameters", ())),
    }
    if not operation["security"]:
        request["auth"] = {"type": "noauth"}
    if "requestBody" in operation:
        media_type, content = next(iter(operation["requestBody"]["content"].items()))
        request["header"].insert(0, {"key": "Content-Type", "value": media_type})
        request["body"] = {"mode": "raw", "raw": _body(operation, content)}
    return request


def _body(operation: Json, content: Json) -> str:
    example = next(iter(content["examples"].values()))["value"]
    if operation["operationId"] == LOGIN:
        example = {"username": "{{username}}", "password": "{{password}}"}
    return json.dumps(example, indent=2, ensure_ascii=False)


def _header(parameter: Json) -> Json:
    return {
        "key": parameter["name"],
        "value": str(parameter["example"]),
        "description": parameter["description"],
        "disabled": True,
    }


def _url(path: str, parameters: Iterable[Json]) -> Json:
    in_path = {each["name"]: each for each in parameters if each["in"] == "path"}
    segments = [
        f":{part[1:-1]}" if part.startswith("{") else part for part in path.removeprefix("/").split("/")
    ]
    query = [
        {"key": each["name"], "value": str(each.get("example", "")), "disabled": True}
        for each in parameters
        if each["in"] == "query"
    ]
    url: Json = {"raw": "/".join(["{{baseUrl}}", *segments]), "host": ["{{baseUrl}}"], "path": segments}
    if query:
        url["query"] = query
    if in_path:
        url["variable"] = [
            {"key": name, "value": f"{{{{{name}}}}}" if name in VARIABLES else str(each["example"])}
            for name, each in in_path.items()
        ]
    return url


def _test(lines: list[str]) -> Json:
    return {"listen": "test", "script": {"type": "text/javascript", "exec": lines}}
