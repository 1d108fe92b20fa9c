"""Values as the API reads them: instants, JSON, and parts of a path."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import quote


def instant_text(instant: datetime | str | None) -> str:
    """Return an instant as RFC 3339 text, with its offset and milliseconds; None: now.

    A text is returned as it is: the API checks it.

    Raises:
        ValueError: the datetime has no zone, so it could mean any hour.
        TypeError: it is neither a datetime nor a text.
    """
    if isinstance(instant, str):
        return instant
    if instant is None:
        instant = datetime.now(UTC)
    if not isinstance(instant, datetime):
        raise TypeError(f"a time is a datetime or RFC 3339 text, not {instant!r}")
    offset = instant.utcoffset()
    if offset is None:
        raise ValueError(f"{instant.isoformat()} has no zone: give a datetime with tzinfo")
    if offset % timedelta(minutes=1):  # RFC 3339 has offsets in minutes; local mean times have seconds
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")


def without_none(**fields: object) -> dict[str, Any]:
    """Return the fields that are given."""
    return {name: value for name, value in fields.items() if value is not None}


def sequence(values: Iterable[str] | None) -> list[str] | None:
    """Return several values as JSON has them.

    Raises:
        TypeError: a single text, whose letters would be taken one by one.
    """
    if isinstance(values, str):
        raise TypeError(f"several values are needed, not one text: [{values!r}]")
    return None if values is None else list(values)


def json_bytes(value: object) -> bytes:
    """Return a value as JSON in UTF-8; datetimes and models of this package are allowed in it.

    Raises:
        ValueError: NaN, an infinity, an unpaired surrogate, or a datetime without a zone.
        TypeError: a value that JSON has not.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    return text.encode()


def path_of(template: str, steps: Mapping[str, object]) -> str:
    """Return a path with its parameters in place; they may hold any character.

    Raises:
        ValueError: a parameter is empty, `.` or `..`, which would lead to another path.
    """
    quoted = {}
    for name, step in steps.items():
        text = "" if step is None else str(step)
        if text in ("", ".", ".."):
            raise ValueError(f"{name} must not be {text!r}")
        quoted[name] = quote(text, safe="")
    return template.format_map(quoted)


def query_of(**parameters: object) -> dict[str, str]:
    """Return the parameters that are given, as texts: RFC 3339, and several values comma-separated."""
    return {
        name.removesuffix("_"): _query_text(value)
        for name, value in parameters.items()
        if value is not None and value != ()
    }


def _query_text(value: object) -> str:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(str(each) for each in value)
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    raise TypeError(f"{type(value).__name__} has no place in JSON: {value!r:.100}")


def version_header(version: int | None) -> dict[str, str]:
    """Return the header field that makes a change conditional on a shipment's version (RFC 9110, 13.1.1)."""
    return {} if version is None else {"If-Match": f'"v{version}"'}
