"""Base of all answers of the API."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Answer of the API, read-only.

    A newer server may send fields and values that this version does not know. Unknown fields are kept as
    attributes, and an unknown value of an enumeration is kept as text.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)
