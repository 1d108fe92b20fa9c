"""Continuous delivery runs the Makefile's verbs, with actions pinned to a commit."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted(ROOT.joinpath(".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$|uses: \./")


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_workflows_exist() -> None:
    assert [path.stem for path in WORKFLOWS] == ["ci", "nightly", "release"]


def test_actions_are_pinned_to_a_commit(path: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.match(line)] == []


def test_the_same_action_is_the_same_commit_everywhere() -> None:
    used = {match for path in WORKFLOWS for match in re.findall(r"uses: ([\w./-]+)@(\w+)", path.read_text())}
    assert len(used) == len({action for action, _ in used})


def test_verbs_exist(path: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))
    text = path.read_text()
    called = set(re.findall(r"run: make ([a-z-]+)", text))
    for listed in re.findall(r"verb: \[(.*)\]", text):
        called |= set(listed.split(", "))
    assert called <= verbs


def test_a_push_runs_what_make_test_runs() -> None:
    recipe = re.search(r"^test: ##.*\n((?:\t.*\n)+)", ROOT.joinpath("Makefile").read_text(), re.MULTILINE)
    assert recipe
    verbs = re.findall(r" ((?:lint|types|test-[a-z]+)\b)", recipe[1])
    workflow = yaml.safe_load(ROOT.joinpath(".github/workflows/ci.yml").read_text())
    ran = [
        step["run"] for step in workflow["jobs"]["test"]["steps"] if step.get("run", "").startswith("make ")
    ]
    assert ran == [f"make {verb}" for verb in verbs]
    every = {step.get("run") for step in steps_of(workflow)}
    assert {"make docs", "make test-coverage"} <= every


def test_write_permissions_are_minimal(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    writing = {
        name: sorted(right for right, value in job["permissions"].items() if value == "write")
        for name, job in workflow["jobs"].items()
        if "write" in job.get("permissions", {}).values()
    }
    assert writing == ({"publish": ["packages"], "announce": ["contents"]} if path.stem == "release" else {})
    assert all("timeout-minutes" in job or "uses" in job for job in workflow["jobs"].values())


def test_no_workflow_is_unsafe() -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("zizmor"),
            "--offline",
            "--quiet",
            "--min-severity=medium",
            ROOT / ".github",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_all_released_parts_have_one_version() -> None:
    projects = [
        ROOT / "pyproject.toml",
        *ROOT.glob("libs/*/pyproject.toml"),
        *ROOT.glob("services/*/pyproject.toml"),
    ]
    versions = {tomllib.loads(path.read_text())["project"]["version"] for path in projects}
    assert len(projects) > 5
    assert len(versions) == 1
