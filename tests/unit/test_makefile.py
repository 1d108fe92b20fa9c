"""The Makefile: the names of its variables, and its verbs."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import setting_names
from tests.support.printed_calls import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
REQUIRED = [
    *(
        "help",
        "build",
        "run",
        "test",
        "test-race",
        "test-coverage",
        "docker-up",
        "docker-down",
        "docker-logs",
    ),
    *("lint", "fmt", "deps", "clean"),
]


def make(*arguments: str, cwd: Path = ROOT, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env={**inherited, **env}, capture_output=True, text=True, check=False
    )


def variables() -> set[str]:
    """Return the variables that the Makefile sets or reads."""
    return set(re.findall(r"^([A-Z_]+)\s*[:?+]?=", MAKEFILE, re.MULTILINE)) | set(
        re.findall(r"(?<!\$)\$\((?:[a-z]+ \$\()?([A-Z_]+)\b", MAKEFILE)
    )


def test_no_variable_has_the_name_of_a_setting() -> None:
    settings = setting_names.of_services() | setting_names.of_the_stack() | setting_names.of_deployments()
    assert {"ENV", "PORT", "LOG_LEVEL", "WAYBILL_PORT", "PROCESSORS", "LIMIT_LOGIN_PER_MIN"} <= settings
    assert {"RUN", "SYNCED", "ARGS", "SEED"} <= variables()
    assert variables() & settings == set()


def test_a_setting_reaches_what_make_runs_as_it_was_given(tmp_path: Path) -> None:
    """Make exports a variable of its own that has the name of one in the environment."""
    given = dict.fromkeys(setting_names.of_services() - {"SECRETS_DIR"}, "as given")
    shutil.copy(ROOT / "Makefile", tmp_path)
    with (tmp_path / "Makefile").open("a") as makefile:
        makefile.write("\nshown:\n\t@env -0\n")
    shown = dict(
        entry.partition("=")[::2] for entry in make("shown", cwd=tmp_path, env=given).stdout.split("\0")
    )
    assert {name: shown.get(name) for name in given} == given


def test_services_are_compiled_once_where_an_image_says_never(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    with (tmp_path / "Makefile").open("a") as makefile:
        makefile.write("\nshown:\n\t@env\n")
    shown = make("shown", cwd=tmp_path, env={"PYTHONDONTWRITEBYTECODE": "1", "OTHER": "1"}).stdout
    assert "\nOTHER=1\n" in shown
    assert "PYTHONDONTWRITEBYTECODE" not in shown


@pytest.mark.parametrize("verb", REQUIRED)
def test_the_verbs_of_the_requirement_are_there(verb: str) -> None:
    assert re.search(rf"^{verb}: .*## |^{verb}:\s+## ", MAKEFILE, re.MULTILINE), verb
    assert f"make {verb} " in make("help").stdout


def test_no_unit_test_needs_a_server() -> None:
    """`make test-stack` does not look for any among them."""
    marked = re.compile(r"mark\.stack\b")
    unit = ROOT / "tests" / "unit"
    assert [path.name for path in unit.rglob("*.py") if marked.search(path.read_text())] == []


def test_each_verb_is_phony() -> None:
    phony = {name for line in re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)) - phony == set()


def test_clean_leaves_data_and_backups(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = tmp_path / ".waybill" / "backups" / "waybill-20261127T131700Z"
    kept.mkdir(parents=True)
    (tmp_path / ".venv").mkdir()
    assert make("clean", cwd=tmp_path).returncode == 0
    assert kept.exists()
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("made_in", ["", "/elsewhere\n"])
def test_an_environment_of_another_place_is_rebuilt(tmp_path: Path, made_in: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    synced = tmp_path / ".venv" / ".synced"
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(shutil.which("true") or "/bin/true")
    synced.write_text(made_in)
    make("help", cwd=tmp_path)
    assert not synced.exists()
    synced.write_text(f"{tmp_path}\n")
    make("help", cwd=tmp_path)
    assert synced.exists()
    (tmp_path / ".venv" / "bin" / "python").unlink()
    make("help", cwd=tmp_path)
    assert not synced.exists()


def test_backups_follow_the_home_or_a_given_directory() -> None:
    def to(**env: str) -> str:
        command = make("-n", "backup", env=env).stdout.splitlines()[-1]
        word = subprocess.run(
            ["bash", "-c", f'printf %s {command.partition(" create ")[2]}'],
            env={**env}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return word.stdout

    assert to() == ".waybill/backups"
    assert to(WAYBILL_HOME="/data/a b") == "/data/a b/backups"
    assert to(WAYBILL_HOME="/data", DIR="/mnt/backups") == "/mnt/backups"


def test_a_rejected_operation_is_one_line(tmp_path: Path) -> None:
    names = ("WAYBILL_API_KEY", "WAYBILL_USER", "WAYBILL_PASSWORD", "WAYBILL_PROFILE")
    env = dict.fromkeys(names, "") | {"XDG_CONFIG_HOME": str(tmp_path)}
    ended = make("ops", "ARGS=actions list", env=env)
    assert (
        ended.stderr == "error: no credentials: run `waybill login`, or set WAYBILL_API_KEY, "
        "or WAYBILL_USER and WAYBILL_PASSWORD\n"
    )
    assert ended.returncode != 0


@pytest.mark.parametrize(
    "name", ["ana", "o'brien", "a$b", "$(false)", "bob;echo", "*", "ana maria", "--reset"]
)
def test_the_first_admin_has_the_name_that_was_typed(name: str) -> None:
    output = make("admin", f"USERNAME={name}", "RUN=printf '<%s>'", env={"USERNAME": "of-the-desktop"}).stdout
    assert output.endswith(f"<query_api.first_admin><--><{name}>"), output


def test_a_first_admin_without_a_name_is_rejected_in_one_line() -> None:
    ended = make("admin", env={"USERNAME": ""})
    assert ended.stderr == "error: say who, as in make admin USERNAME=ana\n"
