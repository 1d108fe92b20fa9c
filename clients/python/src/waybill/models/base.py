"""Base of all answers of the API."""

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

EnumT = TypeVar("EnumT", bound=StrEnum)
OrText = Annotated[EnumT | str, Field(union_mode="left_to_right")]
"""A value of an enumeration, or the text of one that this version does not know."""


class Model(BaseModel):
    """Answer of the API, read-only.

    A newer server may send fields and values that this version does not know. Unknown fields are kept as
    attributes, and an unknown value of an enumeration is kept as text.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)
