"""The package as others install it."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.printed_calls import ROOT

PACKAGE = ROOT / "clients/python"
UV = ROOT / ".uv/bin/uv"


def test_a_wheel_has_all_modules_and_no_test(tmp_path: Path) -> None:
    subprocess.run(
        [UV, "build", "--wheel", "--offline", "--quiet", "--out-dir", tmp_path, PACKAGE], check=True
    )
    (wheel,) = tmp_path.glob("waybill-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(PACKAGE / "src")) for path in (PACKAGE / "src").rglob("*.py")}
    assert modules | {"waybill/py.typed"} == {
        name for name in names if name.startswith("waybill/") and not name.endswith("/")
    }


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_package_and_its_command_work_where_nothing_else_is_installed(tmp_path: Path) -> None:
    """Needs the network."""
    venv.create(tmp_path / "venv", with_pip=True)
    bin_path = tmp_path / "venv/bin"
    subprocess.run([bin_path / "pip", "install", "--quiet", PACKAGE], check=True, cwd=tmp_path)
    imported = (
        "import waybill, waybill.cli.__main__, waybill.importing, waybill.outbox; print(waybill.__file__)"
    )
    ran = subprocess.run(
        [bin_path / "python", "-c", imported], check=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout.startswith(str(tmp_path))
    listed = subprocess.run(
        [bin_path / "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout
    assert not {"aiohttp", "aiokafka", "pymongo", "redis"} & {
        line.partition("==")[0] for line in listed.splitlines()
    }
    helped = subprocess.run([bin_path / "waybill", "--help"], check=True, capture_output=True, text=True)
    assert "Usage" in helped.stdout


def test_no_dependency_is_of_the_server() -> None:
    code = (
        "import sys, waybill, waybill.cli.__main__\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'aiohttp', 'aiokafka', 'pymongo', 'redis', 'domain', 'httpkit', 'servicekit', 'structlog'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == "[]\n"


def test_a_command_does_not_wait_for_what_only_writes_workbooks() -> None:
    code = "import sys, waybill.cli.__main__; print('openpyxl' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == "False\n"
