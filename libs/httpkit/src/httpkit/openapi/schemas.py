"""JSON Schemas of models, with names for the public contract."""

from collections.abc import Hashable, Iterable
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

Json = dict[str, Any]

PREFIX: Final = "#/components/schemas/"


class ContractSchemas(GenerateJsonSchema):
    """Schema generator without titles of properties and without leading underscores of models."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's signature
        """Return False: properties have no titles."""
        return False

    def normalize_name(self, name: str) -> str:
        """Return the public name of a model."""
        return super().normalize_name(name).lstrip("_")


def schemas_of(adapters: Iterable[tuple[Hashable, TypeAdapter[Any]]]) -> tuple[dict[Hashable, Json], Json]:
    """Return the schema of each model by its key, and the definitions that they refer to by name."""
    by_key, shared = TypeAdapter.json_schemas(
        [(key, "validation", adapter) for key, adapter in adapters],
        ref_template=f"{PREFIX}{{model}}",
        schema_generator=ContractSchemas,
    )
    schemas = {key: schema for (key, _), schema in by_key.items()}
    definitions = dict(sorted(shared.get("$defs", {}).items()))
    _say_types([*schemas.values(), *definitions.values()])
    return schemas, definitions


def _say_types(schemas: Iterable[object]) -> None:
    """Add the type to bounds next to a reference: strict validators reject a bound without one."""
    waiting = list(schemas)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "minProperties" in node:
                node.setdefault("type", "object")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
