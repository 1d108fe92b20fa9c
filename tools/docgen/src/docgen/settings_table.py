"""The page docs/settings.md: every setting of the services, from the groups that read them."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import ingest_api.settings
import portal.settings
import processor.settings
import query_api.settings
import webhooks.settings
from storage.settings import RetentionSettings

SETTINGS_PAGE: Final = Path(__file__).parents[4] / "docs/settings.md"
SERVICES: Final[Mapping[str, type[BaseModel]]] = {
    "ingest-api": ingest_api.settings.Settings,
    "portal": portal.settings.Settings,
    "processor": processor.settings.Settings,
    "query-api": query_api.settings.Settings,
    "webhooks": webhooks.settings.Settings,
}
COMMANDS: Final[Mapping[str, type[BaseSettings]]] = {"waybill-admin schema": RetentionSettings}
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+(?:\n {8,}.+)*)", re.MULTILINE)
_HEAD: Final = """# Settings

Environment variables that the services read once, at their start. A file in a directory of `SECRETS_DIR`,
named like the variable in lower case, does as well (colons separate directories). A service that finds
faults prints one line for each and ends with code 2. `.env.example` has those that Compose passes on.

Made by `make contract` from the settings classes in the code. Change them there:
`services/<service>/src/<package>/settings.py` and `libs/<library>/src/<library>/settings.py`.

| setting | default | read by | meaning |
|---|---|---|---|
"""


@dataclass(slots=True)
class Setting:
    """One environment variable.

    Attributes:
        name: as in the environment.
        default: as text; empty where there is none.
        meaning: from the docstring of its group; empty where that says nothing.
        readers: services and commands that read it.
    """

    name: str
    default: str
    meaning: str
    readers: list[str] = field(default_factory=list)


def settings() -> list[Setting]:
    """Return every setting that a service or a command reads, by name."""
    found: dict[str, Setting] = {}
    for reader, group in _groups():
        described = _ATTRIBUTE.findall(inspect.getdoc(group) or "")
        meanings = {name: " ".join(text.split()) for name, text in described}
        for attribute, info in group.model_fields.items():
            name = name_of(group, attribute, info)
            setting = found.setdefault(name, Setting(name, _default(info), ""))
            setting.meaning = setting.meaning or meanings.get(attribute, "")
            if reader not in setting.readers:
                setting.readers.append(reader)
    return sorted(found.values(), key=lambda setting: setting.name)


def name_of(group: type[BaseSettings], attribute: str, info: FieldInfo) -> str:
    """Return the environment variable of a field."""
    if isinstance(info.validation_alias, str):
        return info.validation_alias
    return f"{group.model_config.get('env_prefix', '')}{attribute}".upper()


def settings_page() -> str:
    """Return the page."""
    rows = (
        f"| `{each.name}` | {each.default} | {', '.join(each.readers)} | {each.meaning} |\n"
        for each in settings()
    )
    return _HEAD + "".join(rows)


def _groups() -> Iterator[tuple[str, type[BaseSettings]]]:
    for service, tree in SERVICES.items():
        for info in tree.model_fields.values():
            if isinstance(info.annotation, type) and issubclass(info.annotation, BaseSettings):
                yield service, info.annotation
    yield from COMMANDS.items()


def _default(info: FieldInfo) -> str:
    value: Any = info.default
    if value is PydanticUndefined:
        return "" if info.default_factory is None else "_made at the start_"
    if value is None or isinstance(value, SecretStr) or value in ("", ()):
        return ""
    return f"`{value}`"
