"""Sizes in containers: those that `make up` chooses, and MongoDB's cache by its container."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from devstack.machine.resources import Resources
from devstack.machine.sizes import sizes_for
from tests.support.printed_calls import ROOT

GIB = 2**30
SIZES = ROOT / "deploy/docker/sizes"
MONGO = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["mongo"]


def program(directory: Path, name: str, script: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return directory


def chosen(place: Path, *, cores: int, gib: int, **given: str) -> dict[str, str]:
    engine = program(place, "docker", f"echo {cores} {gib * GIB}")
    env = {"PATH": f"{engine}:{os.environ['PATH']}", **given}
    done = subprocess.run(SIZES, env=env, cwd=place, capture_output=True, text=True, check=True)
    assert done.stderr.startswith(f"for {cores} cores and {gib * 1024} MiB: ")
    lines = [line.removeprefix("export ").partition("=") for line in done.stdout.splitlines()]
    return {name: size.strip("'") for name, _, size in lines}


@pytest.mark.parametrize(("cores", "gib"), [(1, 1), (2, 4), (2, 24), (4, 16), (64, 256)])
def test_containers_get_what_the_embedded_stack_gets(tmp_path: Path, cores: int, gib: int) -> None:
    sizes = chosen(tmp_path, cores=cores, gib=gib)
    embedded = sizes_for(Resources(cores=cores, memory_gib=gib))
    assert sizes["PROCESSORS"] == str(embedded.processors)
    cache_gib = int(sizes["WAYBILL_MONGO_MEMORY"].removesuffix("M")) / 1024 / 2
    assert cache_gib == pytest.approx(max(embedded.mongo_cache_gb, 0.375), abs=0.5)
    assert sizes["WAYBILL_MONGO_CPUS"] == str(max(2, cores // 2))


def test_what_is_set_stays(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WAYBILL_MONGO_MEMORY=2G\nWAYBILL_MONGO_CPUS=\n")
    assert chosen(tmp_path, cores=4, gib=8, PROCESSORS="3") == {"WAYBILL_MONGO_CPUS": "2"}


@pytest.mark.parametrize(
    ("files", "cache"),
    [
        ({"memory.max": str(768 * 2**20)}, "0.374"),
        ({"memory.max": str(16 * GIB)}, "7.999"),
        ({"memory/memory.limit_in_bytes": str(2 * GIB)}, "0.999"),
        ({"memory.max": "max"}, None),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_mongodbs_cache_is_half_of_its_container(
    tmp_path: Path, files: dict[str, str], cache: str | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    *shell, script = MONGO["command"]
    for directory in ("/tmp", "/sys/fs/cgroup"):  # noqa: S108  # of the container
        script = script.replace(directory, str(tmp_path))
    mongod = program(tmp_path, "mongod", 'echo "$@"')
    env = {"PATH": f"{mongod}:{os.environ['PATH']}"}
    command = (*shell, script.replace("$$", "$"))
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    option = f"--nounixsocket --wiredTigerCacheSizeGB {cache}\n" if cache else "--nounixsocket\n"
    assert done.stdout.endswith(option)
