"""JSON Schemas of models, with names that are fit for a contract."""

from collections.abc import Hashable, Iterable
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

Json = dict[str, Any]

PREFIX: Final = "#/components/schemas/"


class ContractSchemas(GenerateJsonSchema):
    """Without titles for properties, which repeat their names, and without underscores of private models."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's signature
        """Say that it should not."""
        return False

    def normalize_name(self, name: str) -> str:
        """Return the name of a model as others see it."""
        return super().normalize_name(name).lstrip("_")


def schemas_of(adapters: Iterable[tuple[Hashable, TypeAdapter[Any]]]) -> tuple[dict[Hashable, Json], Json]:
    """Return the schema of each model by its key, and by name what they refer to."""
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
    """Add the type to bounds that stand beside a reference: strict validators refuse a bound without one."""
    waiting = list(schemas)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "minProperties" in node:
                node.setdefault("type", "object")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
