"""The flat and the nested form of a shipment, and the conversion between them.

A flat field is named after its path in the nested form: `origin_lat` is `/origin/coordinates/lat`. A body has
one form. Its faults have the pointers that were sent, so it is validated before it is nested.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

FLAT: Final = "flat"
NESTED: Final = "nested"

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "origin_address": ("origin", "address"),
    "origin_lat": ("origin", "coordinates", "lat"),
    "origin_lng": ("origin", "coordinates", "lng"),
    "destination_address": ("destination", "address"),
    "destination_lat": ("destination", "coordinates", "lat"),
    "destination_lng": ("destination", "coordinates", "lng"),
    "weight_kg": ("package", "weight_kg"),
    "length_cm": ("package", "dimensions", "length"),
    "width_cm": ("package", "dimensions", "width"),
    "height_cm": ("package", "dimensions", "height"),
    "content_description": ("package", "content_description"),
}
_PARTS: Final = frozenset(path[0] for path in _PLACES.values())
_COORDINATES: Final = (("origin_lat", "origin_lng"), ("destination_lat", "destination_lng"))
_LENGTHS: Final = (("length_cm", "width_cm", "height_cm"),)

Fault = InitErrorDetails


def form_of(body: object) -> str:
    """Return the form of a body: nested if it has a field of the nested form, else flat.

    Null fields decide only if no other field does.
    """
    if not isinstance(body, dict):
        return FLAT
    given = {name for name, value in body.items() if value is not None}
    if given.isdisjoint(_PARTS | _PLACES.keys()):
        given = set(body)
    return FLAT if given.isdisjoint(_PARTS) else NESTED


def of_one_form(body: object) -> object:
    """Return a body without null fields of the other form, which count as left out."""
    if not isinstance(body, dict):
        return body
    others = _PARTS if form_of(body) == FLAT else _PLACES.keys()
    return {name: value for name, value in body.items() if value is not None or name not in others}


def nested(body: Mapping[str, object]) -> dict[str, Any]:
    """Return a valid body in the nested form, without null fields and empty objects."""
    if form_of(body) == NESTED:
        return _present(body)
    made: dict[str, Any] = {}
    for name, value in _present(body).items():
        *parents, last = _PLACES.get(name, (name,))
        place = made
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return made


def mixture_of(body: object) -> list[Fault]:
    """Return the flat fields of a nested body of `of_one_form` as faults; empty if it has one form."""
    if not isinstance(body, dict) or form_of(body) == FLAT:
        return []
    parts = ", ".join(sorted(_PARTS & body.keys()))
    message = f"belongs to the flat form, {parts} to the nested one: send one form"
    return [_fault((name,), message) for name in body if name in _PLACES]


def faults_of(body: object, *, amends: bool) -> list[Fault]:
    """Return the faults of a body of one form that concern several fields.

    Args:
        body: the body as sent.
        amends: true for a change, which may have one length alone and must not be empty.
    """
    if not isinstance(body, dict):
        return []
    faults: list[Fault] = []
    if form_of(body) == FLAT:
        faults += _incomplete(body, _COORDINATES if amends else _LENGTHS)
    if amends and not _present(body):
        faults.append(_fault((), "must change something"))
    return faults


def form_error(faults: list[Fault]) -> ValidationError:
    """Return a validation error with these faults."""
    return ValidationError.from_exception_data("shipment", faults)


def untagged(error: ValidationError) -> Iterator[Fault]:
    """Yield the faults of a body with their paths, without the name of the form."""
    for each in error.errors(include_url=False, include_input=False):
        # The messages of pydantic's own error types are chosen by type; their context is not needed.
        kind = PydanticCustomError(each["type"], "{text}", {"text": each["msg"]})
        yield Fault(type=kind, loc=each["loc"][1:], input=None)


def _incomplete(body: Mapping[str, object], groups: tuple[tuple[str, ...], ...]) -> Iterator[Fault]:
    """Yield a fault for each field that is missing while others of its group are given."""
    for group in groups:
        given = [name for name in group if body.get(name) is not None]
        if given:
            for name in group:
                if name not in given:
                    yield _fault((name,), f"is required with {' and '.join(given)}")


def _present(members: Mapping[str, object]) -> dict[str, Any]:
    made = {
        name: _present(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None
    }
    return {name: value for name, value in made.items() if value != {}}


def _fault(place: tuple[str, ...], message: str) -> Fault:
    return Fault(type=PydanticCustomError("form", "{text}", {"text": message}), loc=place, input=None)
