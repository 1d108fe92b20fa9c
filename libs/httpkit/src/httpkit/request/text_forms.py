"""Patterns of strings, with error messages in words in place of the regular expression."""

import re
from typing import Any

from pydantic import AfterValidator, Field


def text_pattern(pattern: str, message: str) -> tuple[Any, ...]:
    """Return the validators of a pattern, for the inside of `Annotated`.

    Args:
        pattern: for Python, and for JSON Schema in the OpenAPI document.
        message: the error for a string that does not match.
    """
    form = re.compile(pattern)

    def require(text: str) -> str:
        if form.fullmatch(text) is None:
            raise ValueError(message)
        return text

    return AfterValidator(require), Field(json_schema_extra={"pattern": pattern})
