"""Settings that every service shares: frozen groups, read from the environment, one line per fault."""

import os
import socket
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

SETTINGS_FAULT_EXIT_CODE: Final = 2

FROZEN: Final = SettingsConfigDict(frozen=True, env_ignore_empty=True)
"""Configuration of every settings group: frozen, and an empty variable counts as unset."""

Tree = TypeVar("Tree", bound=BaseModel)


class Environment(StrEnum):
    """Purpose of the process: development allows seeded users and weak secrets."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class ServiceSettings(BaseSettings):
    """Identity of the process: `ENV`, `LOG_LEVEL`, `INSTANCE_ID`.

    Attributes:
        env: `development` lets in seeded users and weak secrets, and logs for people; `production` does not.
        log_level: the least severe lines that are written: `debug`, `info`, `warning` or `error`.
        instance_id: name of this process in logs, traces and fences; host name and process id by default.
    """

    model_config = FROZEN

    env: Environment = Environment.PRODUCTION
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    instance_id: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}", max_length=128)


class TelemetrySettings(BaseSettings):
    """Destinations of traces and error reports; off by default.

    Attributes:
        otel_traces_exporter: `otlp` enables tracing. Endpoint, sampling and the rest come from
            OpenTelemetry's own variables, which its SDK reads (`OTEL_EXPORTER_OTLP_ENDPOINT`,
            `OTEL_TRACES_SAMPLER`, …).
        sentry_dsn: enables error reports.
    """

    model_config = FROZEN

    otel_traces_exporter: Literal["none", "otlp"] = "none"
    sentry_dsn: SecretStr | None = None


class InvalidSettings(Exception):
    """The environment is not valid; `faults` has one line per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def read_settings(tree: type[Tree]) -> Tree:
    """Read a tree of settings groups from the environment, and from files in `SECRETS_DIR`.

    Each group is read by itself, so that the faults of all of them are found at once. The tree is a frozen
    model whose fields are groups: `class Settings(BaseModel): http: HttpSettings; auth: AuthSettings`.
    A setting that is not in the environment may be in a file of its name (`jwt_secret`), in one of the
    directories of `SECRETS_DIR`, which are separated by colons.

    Raises:
        InvalidSettings: a setting is missing or invalid.
    """
    groups: dict[str, Any] = {}
    files, faults = _secret_files()
    for name, field in tree.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseSettings):
            faults += _read_into(groups, name, group, files)
    if not faults:
        faults += _read_into(groups, "", tree, groups)
    if faults:
        raise InvalidSettings(list(dict.fromkeys(faults)))
    settings: Tree = groups[""]
    return settings


def load_settings(tree: type[Tree]) -> Tree:
    """Read a tree of settings groups from the environment, for `__main__`.

    Raises:
        SystemExit: with code 2, after one line per fault on standard error.
    """
    try:
        return read_settings(tree)
    except InvalidSettings as error:
        _exit_with(error.faults)


def _secret_files() -> tuple[dict[str, Any], list[str]]:
    directories = [each for each in os.environ.get("SECRETS_DIR", "").split(os.pathsep) if each]
    faults = [f"SECRETS_DIR: {each} is not a directory" for each in directories if not Path(each).is_dir()]
    return ({"_secrets_dir": directories} if directories and not faults else {}), faults


def _exit_with(faults: list[str]) -> NoReturn:
    for fault in faults:
        sys.stderr.write(f"settings: {fault}\n")
    raise SystemExit(SETTINGS_FAULT_EXIT_CODE)


def _read_into(
    groups: dict[str, Any], name: str, group: type[BaseModel], values: dict[str, Any]
) -> list[str]:
    try:
        groups[name] = group(**values)
    except ValidationError as error:
        return list(_faults_of(error, group))
    except SettingsError as error:
        return [str(error)]
    return []


def _faults_of(error: ValidationError, group: type[BaseModel]) -> Iterator[str]:
    prefix = str(group.model_config.get("env_prefix") or "")
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        variable = "/".join(str(part) for part in fault["loc"]).upper()
        if fault["loc"] and fault["loc"][0] in group.model_fields:  # else the location is an alias
            variable = f"{prefix}{variable}"
        yield f"{variable}: {message}" if variable else message
