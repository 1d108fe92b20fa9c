"""The Terraform module parses, uses its inputs, and patches things that the manifests have."""

import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.manifests import Manifests

MODULE = Path(__file__).parents[3] / "deploy/terraform"
SOURCES = sorted(MODULE.rglob("*.tf"))


def parsed(path: Path) -> dict[str, Any]:
    with path.open() as file:
        found: dict[str, Any] = hcl2.load(file)
    return found


def patches() -> list[tuple[str, str, list[str]]]:
    """Return kind, name and paths of each patch of the module."""
    text = MODULE.joinpath("main.tf").read_text()
    blocks = text.split("  patches {")[1:]
    return [
        (
            re.findall(r'kind = "([^"]+)"', block)[0],
            re.findall(r'name = "([^"]+)"', block)[0],
            re.findall(r'path\s+= "([^"]+)"', block),
        )
        for block in blocks
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(MODULE)))
def test_the_module_parses(path: Path) -> None:
    assert parsed(path)


def test_every_input_is_described_and_used() -> None:
    [*variables] = parsed(MODULE / "variables.tf")["variable"]
    used = MODULE.joinpath("main.tf").read_text() + MODULE.joinpath("outputs.tf").read_text()
    example = MODULE.joinpath("examples/production/main.tf").read_text()
    for block in variables:
        [(quoted, variable)] = block.items()
        name = quoted.strip('"')
        assert variable["description"]
        assert f"var.{name}" in used, name
        assert "default" in variable or re.search(rf"^  {name}\s+=", example, re.MULTILINE), name


def test_no_secret_passes_through() -> None:
    names = re.findall(r'^variable "(\w+)"', MODULE.joinpath("variables.tf").read_text(), re.MULTILINE)
    assert not [name for name in names if re.search(r"password|uri|token|jwt", name)]
    assert 'kind = "Secret"' not in MODULE.joinpath("main.tf").read_text()


def test_patched_objects_exist(production: Manifests) -> None:
    found = patches()
    assert {kind for kind, *_ in found} == {"NetworkPolicy", "ScaledObject", "Ingress", "ExternalSecret"}
    for kind, name, paths in found:
        objects = [each for title, each in production.of(kind).items() if re.fullmatch(name, title)]
        assert objects, (kind, name)
        assert paths
        for each in objects:
            for path in paths:
                assert _at(each, path.replace("${index}", "4")) is not None, (kind, path)


def test_images_and_settings_are_those_of_production(production: Manifests) -> None:
    text = MODULE.joinpath("main.tf").read_text()
    services = re.search(r"services = (\[.*\])", text)
    assert services
    names = json.loads(services[1])
    images = {production.pods[name].spec["containers"][0]["image"].rpartition(":")[0] for name in names}
    assert set(names) == production.of("Deployment").keys()
    assert images == {f"registry.example.com/waybill/{name}" for name in names}
    [config] = production.of("ConfigMap").values()
    assert set(re.findall(r"^    ([A-Z_]+)\s+=", text, re.MULTILINE)) <= config["data"].keys()


def test_defaults_are_those_of_the_manifests(production: Manifests) -> None:
    [config] = production.of("ConfigMap").values()
    text = MODULE.joinpath("variables.tf").read_text()
    for name in ("partitions", "replication_factor", "min_insync_replicas", "retention_hours"):
        default = re.search(rf"{name}\s+= optional\(number, (\d+)\)", text)
        assert default
        assert default[1] == config["data"][f"KAFKA_{name.upper()}"]


def _at(manifest: Any, path: str) -> Any:  # noqa: ANN401  # whatever a manifest has there
    for step in path.strip("/").split("/"):
        manifest = manifest[int(step)] if isinstance(manifest, list) else manifest[step]
    return manifest
