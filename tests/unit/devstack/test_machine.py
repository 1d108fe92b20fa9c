"""Sizes that fit a machine: what it gives, what its cgroups take away, and what is made of it."""

import os
from pathlib import Path

import pytest

from devstack.machine.fitting import fit_machine
from devstack.machine.interpreter import optimisations
from devstack.machine.resources import Resources, usable_resources
from devstack.machine.sizes import Sizes, sizes_for, sizes_line

GIB = 2**30
UNLIMITED = "9223372036854771712"


@pytest.mark.parametrize(
    ("cores", "memory_gib", "processors", "cache_gb", "connections"),
    [
        (0.5, 1.0, 1, 0.25, 10),
        (1.0, 1.0, 1, 0.25, 10),
        (1.0, 2.0, 1, 0.25, 10),
        (2.0, 4.0, 1, 0.5, 20),
        (1.5, 8.0, 1, 2.0, 20),
        (2.0, 23.5, 1, 7.0, 20),
        (4.0, 16.0, 2, 4.5, 40),
        (8.0, 32.0, 4, 10.0, 80),
        (64.0, 256.0, 12, 84.5, 100),
    ],
)
def test_sizes_fit_cores_and_memory(
    cores: float, memory_gib: float, processors: int, cache_gb: float, connections: int
) -> None:
    sizes = sizes_for(Resources(cores=cores, memory_gib=memory_gib))
    assert sizes == Sizes(processors=processors, mongo_cache_gb=cache_gb, mongo_connections=connections)


def put(system: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(f"{text}\n")
    return system


def whole() -> tuple[float, float]:
    return len(os.sched_getaffinity(0)), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB


@pytest.mark.parametrize(
    ("files", "cores", "memory_gib"),
    [
        pytest.param({}, None, None, id="no cgroups"),
        pytest.param(
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/cpu.max": "50000 100000",
                "sys/fs/cgroup/memory.max": str(GIB),
            },
            0.5,
            1.0,
            id="version 2, a container's own root",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/a.slice/b.scope",
                "sys/fs/cgroup/a.slice/b.scope/cpu.max": "max 100000",
                "sys/fs/cgroup/a.slice/b.scope/memory.max": "max",
                "sys/fs/cgroup/a.slice/cpu.max": "20000 100000",
                "sys/fs/cgroup/a.slice/memory.max": str(GIB // 2),
            },
            0.2,
            0.5,
            id="version 2, limited by the cgroup above",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/cpu.max": "max 100000",
                "sys/fs/cgroup/memory.max": "max",
            },
            None,
            None,
            id="version 2, without limits",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n2:cpuset:/docker/x",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "25000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2 * GIB),
            },
            0.25,
            2.0,
            id="version 1, in a container that knows the host's path",
        ),
        pytest.param(
            {
                "proc/self/cgroup": "2:memory:/\n1:cpu:/",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
            },
            None,
            None,
            id="version 1, without limits",
        ),
    ],
)
def test_cgroups_limit_the_machine(
    tmp_path: Path, files: dict[str, str], cores: float | None, memory_gib: float | None
) -> None:
    all_cores, all_memory_gib = whole()
    assert usable_resources(put(tmp_path, files)) == Resources(
        cores=cores or all_cores, memory_gib=memory_gib or all_memory_gib
    )


def test_affinity_limits_the_machine(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert usable_resources(tmp_path).cores == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_one_line_says_what_was_chosen_and_what_was_set() -> None:
    resources = Resources(cores=4, memory_gib=15.51)
    chosen = sizes_for(resources).as_settings()
    assert sizes_line(resources, chosen, {"PROCESSORS": "3", "MONGO_MAX_POOL_SIZE": ""}) == (
        "for 4 cores and 15.5 GiB: PROCESSORS=3 (as set), WAYBILL_MONGO_CACHE_GB=4.5, MONGO_MAX_POOL_SIZE=40"
    )


def test_a_setting_that_is_given_stays() -> None:
    given = {"PROCESSORS": "3", "MONGO_MAX_POOL_SIZE": "", "PATH": "/bin"}
    fit = fit_machine(given, stores_only=False)
    assert fit.environment["PROCESSORS"] == "3"
    assert int(fit.environment["MONGO_MAX_POOL_SIZE"]) >= 10
    assert fit.environment["PATH"] == "/bin"
    assert fit_machine(given, stores_only=True).environment.keys() == {*given, "WAYBILL_MONGO_CACHE_GB"}


@pytest.mark.parametrize(
    ("arguments", "schemes", "expected"),
    [
        ("'--prefix=/usr/local' '--enable-optimizations' '--with-lto'", ["posix_prefix"], "PGO and LTO"),
        ("'--enable-optimizations'", ["posix_prefix"], "PGO"),
        ("'--enable-shared' '--with-lto'", ["posix_prefix"], ""),
        ("'--enable-shared'", ["posix_prefix"], ""),
        ("'--enable-shared' '--prefix=/usr'", ["deb_system", "posix_prefix"], "PGO, by Debian"),
    ],
)
def test_a_build_says_how_it_was_optimised(arguments: str, schemes: list[str], expected: str) -> None:
    assert optimisations(arguments, schemes) == expected
