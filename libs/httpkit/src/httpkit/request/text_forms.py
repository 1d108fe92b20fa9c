"""Forms of texts, which are told in words: a regular expression says nothing to who gets it as an answer."""

import re
from typing import Any

from pydantic import AfterValidator, Field


def formed(pattern: str, message: str) -> tuple[Any, ...]:
    """Return what makes a text have a form, for the inside of `Annotated`.

    Args:
        pattern: the form, for Python and, in the contract, for JSON Schema.
        message: what is said of a text that has not.
    """
    form = re.compile(pattern)

    def require(text: str) -> str:
        if form.fullmatch(text) is None:
            raise ValueError(message)
        return text

    return AfterValidator(require), Field(json_schema_extra={"pattern": pattern})
