"""The two forms in which a shipment is written, flat and nested, and what they have in common.

A flat member is named after its place in the nested form: `origin_lat` is `/origin/coordinates/lat`. A body
has one form. Its faults are named by the pointers that were sent, so it is validated before it is nested.
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
    """Return the form of a body: nested if it has a part as its member, else flat.

    Members that are null decide only where no other does.
    """
    if not isinstance(body, dict):
        return FLAT
    given = {name for name, value in body.items() if value is not None}
    if given.isdisjoint(_PARTS | _PLACES.keys()):
        given = set(body)
    return FLAT if given.isdisjoint(_PARTS) else NESTED


def of_one_form(body: object) -> object:
    """Return a body without the members of the other form that are null: they are as good as left out."""
    if not isinstance(body, dict):
        return body
    others = _PARTS if form_of(body) == FLAT else _PLACES.keys()
    return {name: value for name, value in body.items() if value is not None or name not in others}


def nested(body: Mapping[str, object]) -> dict[str, Any]:
    """Return a valid body in the nested form, without members that are null and parts that are empty."""
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
    """Return the flat members of a nested body of `of_one_form` as its faults; empty if it has one form."""
    if not isinstance(body, dict) or form_of(body) == FLAT:
        return []
    parts = ", ".join(sorted(_PARTS & body.keys()))
    message = f"belongs to the flat form, {parts} to the nested one: send one form"
    return [_fault((name,), message) for name in body if name in _PLACES]


def faults_of(body: object, *, amends: bool) -> list[Fault]:
    """Return the faults of a body of one form that no single member has.

    Args:
        body: as it was sent.
        amends: it changes a shipment: it may have one length alone, and has to say something.
    """
    if not isinstance(body, dict):
        return []
    faults: list[Fault] = []
    if form_of(body) == FLAT:
        faults += _incomplete(body, _COORDINATES if amends else _LENGTHS)
    if amends and not _present(body):
        faults.append(_fault((), "must change something"))
    return faults


def refusal(faults: list[Fault]) -> ValidationError:
    """Return the error that has these faults."""
    return ValidationError.from_exception_data("shipment", faults)


def untagged(error: ValidationError) -> Iterator[Fault]:
    """Give the faults of a body by their place in it, without the name of its form."""
    for each in error.errors(include_url=False, include_input=False):
        # Of pydantic's own kinds the code that words them knows the names; their context is of no use.
        kind = PydanticCustomError(each["type"], "{text}", {"text": each["msg"]})
        yield Fault(type=kind, loc=each["loc"][1:], input=None)


def _incomplete(body: Mapping[str, object], groups: tuple[tuple[str, ...], ...]) -> Iterator[Fault]:
    """Name the members that are missing beside others of their group."""
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
