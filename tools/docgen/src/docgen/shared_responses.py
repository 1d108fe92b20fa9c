"""Error responses that several operations have in common, written once among the components of OpenAPI."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

_ERRORS: Final = "4", "5"


def with_shared_responses(document: dict[str, Any]) -> dict[str, Any]:
    """Move equal error responses of two operations or more to `components/responses`, and refer to them.

    The document is changed and returned; each reference leads to what stood there.
    """
    found = Counter(_text(response) for responses in _responses(document) for response in responses.values())
    names: dict[str, str] = {}
    shared: dict[str, Any] = {}
    for responses in _responses(document):
        for status, response in responses.items():
            text = _text(response)
            if not status.startswith(_ERRORS) or found[text] < 2:  # noqa: PLR2004  # two that are equal
                continue
            name = names.setdefault(text, _free_name(_name_of(response), shared))
            shared[name] = response
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    document["components"]["responses"] = dict(sorted(shared.items()))
    return document


def _responses(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield operation["responses"]


def _text(response: dict[str, Any]) -> str:
    return json.dumps(response, sort_keys=True)


def _name_of(response: dict[str, Any]) -> str:
    """Return the error codes of a response as one name, as in `InvalidJsonOrValidationError`."""
    content = next(iter(response["content"].values()))
    return "Or".join(code.title().replace("_", "") for code in sorted(content["examples"]))


def _free_name(name: str, taken: dict[str, Any]) -> str:
    number = 1
    while (free := f"{name}{number if number > 1 else ''}") in taken:
        number += 1
    return free
