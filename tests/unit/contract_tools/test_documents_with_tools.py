"""OpenAPI and AsyncAPI documents under other tools: linters without a warning, a strict validator."""

import json
import re
from pathlib import Path

import pytest

from docgen.documents import ROOT
from docgen.postman_steps import STEPS
from tests.support.node_tools import NODE_DIRECTORY, PACKAGES, run_node

# Six seconds of a core; as many as that takes on a machine that others use.
pytestmark = pytest.mark.timeout(240)

DOCUMENT = ROOT / "services/query-api/src/query_api/openapi.json"
TOPICS = ROOT / "docs/asyncapi.json"
COMPILE = NODE_DIRECTORY / "compile-schemas.mjs"


def test_redocly_reports_nothing() -> None:
    ran = run_node(PACKAGES / ".bin/redocly", "lint", "--config", "redocly.yaml", DOCUMENT)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Your API description is valid" in ran.stdout + ran.stderr
    assert "warning" not in (ran.stdout + ran.stderr).lower()


def test_spectral_reports_nothing() -> None:
    ran = run_node(
        PACKAGES / ".bin/spectral",
        *("lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", DOCUMENT, TOPICS),
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No results" in ran.stdout


@pytest.mark.parametrize(
    ("document", "fewest_schemas", "fewest_examples"), [(DOCUMENT, 200, 120), (TOPICS, 10, 8)]
)
def test_every_schema_compiles_strictly_and_every_example_is_valid(
    document: Path, fewest_schemas: int, fewest_examples: int
) -> None:
    ran = run_node(COMPILE, document)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    counted = re.fullmatch(r"(\d+) schemas, (\d+) examples\n", ran.stdout)
    assert counted is not None, ran.stdout
    assert int(counted[1]) >= fewest_schemas
    assert int(counted[2]) >= fewest_examples


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "string", "pattern": '^[!\\"]$'}, "Invalid escape"),
        ({"type": "string", "format": "event-id"}, 'unknown format "event-id"'),
        ({"type": "string", "const": "x", "colour": "red"}, 'unknown keyword: "colour"'),
    ],
)
def test_the_strict_validator_refuses_what_other_engines_do(
    schema: dict[str, str], fault: str, tmp_path: Path
) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps({"paths": {}, "components": {"schemas": {"Refused": schema}}}))

    ran = run_node(COMPILE, document)

    assert ran.returncode == 1
    assert fault in ran.stdout


def test_every_operation_has_a_step_in_the_postman_collection() -> None:
    paths = json.loads(DOCUMENT.read_bytes())["paths"]
    operations = {each["operationId"] for methods in paths.values() for each in methods.values()}

    assert operations - {step.operation for steps in STEPS.values() for step in steps} == set()
