"""Settings in .env.example, in docker-compose.yml and in the services: one list, compared."""

import importlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from storage.settings import RetentionSettings
from tests.support import setting_names
from tests.support.printed_calls import ROOT

if TYPE_CHECKING:
    from pydantic import BaseModel

COMPOSE = (ROOT / "docker-compose.yml").read_text()
OUTSIDE = (ROOT / "deploy/docker/kafka-outside.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
EVERYWHERE, OF_THE_MACHINE, NOT_IN_CONTAINERS = "Everywhere", "Of the machine", "Not in containers"
OF_COMPOSE = {"COMPOSE_PROFILES", "COMPOSE_FILE"}
OF_THE_GATEWAY = {"WAYBILL_TRUSTED_PROXIES", "WAYBILL_CONNECTIONS_PER_ADDRESS"}
WITHOUT_EFFECT = {"processor": {"CORS_ORIGINS", "PUBLIC_URL", "TRUSTED_PROXIES"}}
OF_OPENTELEMETRY = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}


def parts() -> Iterator[tuple[str, str]]:
    """Return the parts of .env.example: the first words of each head, and the lines below it."""
    for part in re.split(r"^## ", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)[1:]:
        head, _, lines = part.partition("\n")
        yield re.split("[,:] ", head)[0], lines


EXAMPLE = {
    head: set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", lines, re.MULTILINE)) for head, lines in parts()
}


def read_by(service: str) -> set[str]:
    """Return the settings of a service of compose."""
    if service == "schema":
        return set(setting_names.names_of(RetentionSettings))
    tree: type[BaseModel] = importlib.import_module(f"{service.replace('-', '_')}.settings").Settings
    groups = [field.annotation for field in tree.model_fields.values()]
    return {name for group in groups for name in setting_names.names_of(group)}  # type: ignore[arg-type]  # groups


def test_the_example_has_its_parts_and_nothing_twice() -> None:
    assert set(EXAMPLE) == {EVERYWHERE, OF_THE_MACHINE, NOT_IN_CONTAINERS}
    assert sum(map(len, EXAMPLE.values())) == len(set.union(*EXAMPLE.values()))
    assert "JWT_KID" in EXAMPLE[EVERYWHERE]


def test_each_setting_of_the_example_exists() -> None:
    known = setting_names.of_services() | OF_THE_GATEWAY | OF_OPENTELEMETRY
    assert EXAMPLE[EVERYWHERE] | EXAMPLE[NOT_IN_CONTAINERS] <= known
    assert all(f"${{{name}:" in COMPOSE + OUTSIDE for name in EXAMPLE[OF_THE_MACHINE] - OF_COMPOSE)


@pytest.mark.parametrize("service", ["ingest-api", "query-api", "processor", "webhooks", "portal", "schema"])
def test_a_service_gets_every_setting_that_it_reads(service: str) -> None:
    read = read_by(service) - WITHOUT_EFFECT.get(service, set())
    assert read & EXAMPLE[EVERYWHERE]
    environment = SERVICES[service]["environment"]
    for name in (read & EXAMPLE[EVERYWHERE]) | (OF_OPENTELEMETRY if service != "schema" else set()):
        assert name in environment, f"{name} of .env has no effect on {service}"
        assert passes_on(name, environment[name]), f"{name} of .env has no effect on {service}"


def test_settings_without_effect_are_marked_as_such() -> None:
    taken = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", COMPOSE + OUTSIDE)) | {
        name
        for service in SERVICES.values()
        for name, value in (service.get("environment") or {}).items()
        if value is None
    }
    assert taken & EXAMPLE[NOT_IN_CONTAINERS] == set()
    assert taken == EXAMPLE[EVERYWHERE] | EXAMPLE[OF_THE_MACHINE] - OF_COMPOSE


def test_the_gateway_learns_of_proxies_in_front() -> None:
    assert {
        name for name, value in SERVICES["gateway"]["environment"].items() if value is None
    } == OF_THE_GATEWAY


def test_a_copy_of_the_example_changes_nothing() -> None:
    """A copy with one changed line changes only that setting."""
    [everywhere] = [lines for head, lines in parts() if head == EVERYWHERE]
    given = dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", everywhere, re.MULTILINE))
    assert given == {
        "ENV": "development",
        "LOG_LEVEL": "info",
        "JWT_SECRET": "",
        "KAFKA_PARTITIONS": "12",
        "MONGO_DB": "shipping_system",
        "REDIS_DB": "0",
    }
    assert [
        lines for head, lines in parts() if head != EVERYWHERE and re.search(r"^[A-Z]", lines, re.MULTILINE)
    ] == []


def passes_on(name: str, value: str | None) -> bool:
    return value is None or value.startswith(f"${{{name}:-")
