"""The golden files: the formats of the last release, as it wrote them itself."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from bson import json_util

FOLDER: Final = Path(__file__).with_name("golden_files")


def text_of(value: bytes | None) -> str | None:
    """Return bytes as a text of which `bytes_of` makes them again, whatever they are."""
    return None if value is None else value.decode("utf-8", "surrogateescape")


def bytes_of(text: str | None) -> bytes | None:
    """Return the bytes that `text_of` got."""
    return None if text is None else text.encode("utf-8", "surrogateescape")


@cache
def golden(name: str) -> Any:  # noqa: ANN401  # JSON
    """Return the content of a golden file; nobody may change it."""
    return json.loads((FOLDER / f"{name}.json").read_text())


@cache
def golden_documents() -> dict[str, list[dict[str, Any]]]:
    """Return the documents of each collection, as MongoDB returns them."""
    text = (FOLDER / "documents.json").read_text()
    documents: dict[str, list[dict[str, Any]]] = json_util.loads(
        text, json_options=json_util.JSONOptions(tz_aware=True)
    )
    return documents
