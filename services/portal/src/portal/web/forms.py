"""Reading of HTML forms: bounded as all bodies, validated by a model."""

from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from httpkit.request.bodies import invalid, read_body
from httpkit.request.negotiation import require_media_type
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError

FORM: Final = "application/x-www-form-urlencoded"
LONGEST_FORM_BYTES: Final = 256 * 1024
MOST_FIELDS: Final = 1_500

Model = TypeVar("Model")


def _listed(sent: Any) -> Any:  # noqa: ANN401  # whatever a form sends
    return [sent] if isinstance(sent, str) else sent


Several = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(max_length=100)]
"""A field that a form sends once for each choice: checkboxes of one name."""


async def read_form(
    request: web.Request, adapter: TypeAdapter[Model], *, limit: int = LONGEST_FORM_BYTES
) -> Model:
    """Read the form that a page has sent into a model.

    A field that is sent once is a string, one that is sent several times a list of strings.

    Args:
        request: the request; blocks for its body.
        adapter: the model.
        limit: the longest body in bytes.

    Raises:
        ApiError: 415, 413, 408, or 400 with all faults.
    """
    require_media_type(request, FORM)
    body = await read_body(request, limit=limit)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise ApiError(ErrorCode.VALIDATION_ERROR, "the form is malformed") from error
    try:
        return adapter.validate_python(_fields_of(pairs))
    except ValidationError as error:
        raise invalid(error) from error


def _fields_of(pairs: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}
