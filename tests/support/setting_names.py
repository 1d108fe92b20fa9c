"""Names of settings in the environment: of services, embedded stack, gateway, Compose."""

import importlib
import re
from collections.abc import Iterator, Mapping

from pydantic_settings import BaseSettings

from devstack.settings import StackSettings
from docgen.settings_table import name_of
from tests.support.printed_calls import ROOT


class _Recorder(Mapping[str, str]):
    """An empty environment that records which names are looked up."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def of_services() -> set[str]:
    """Return the names of all settings groups that a package declares in its module `settings`."""
    modules = [
        importlib.import_module(f"{path.parent.name}.settings")
        for path in ROOT.glob("*/*/src/*/settings.py")
        if path.parent.name != "devstack"
    ]
    groups = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings)
    }
    return {name for group in groups for name in names_of(group)} | {"SECRETS_DIR"}


def of_the_stack() -> set[str]:
    """Return the settings of the embedded stack's supervisor."""
    recorder = _Recorder()
    StackSettings.from_environment(recorder, stores_only=False)
    return recorder.asked


def of_deployments() -> set[str]:
    """Return the names in the gateway's configuration, in Compose and in the example."""
    named = {
        "deploy/gateway/start": r"\$\{([A-Z][A-Z0-9_]*)",
        "docker-compose.yml": r"\$\{([A-Z][A-Z0-9_]*)",
        ".env.example": r"^(?:# )?([A-Z][A-Z0-9_]*)=",
    }
    return {
        name
        for file, pattern in named.items()
        for name in re.findall(pattern, (ROOT / file).read_text(), flags=re.MULTILINE)
    }


def names_of(group: type[BaseSettings]) -> Iterator[str]:
    """Return the names of the settings of one group."""
    for attribute, info in group.model_fields.items():
        yield name_of(group, attribute, info)
