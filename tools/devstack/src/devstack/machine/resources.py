"""Cores and memory that this process may use: the machine's, less what affinity and cgroups take away."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SYSTEM: Final = Path("/")
_GIB: Final = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Usable cores, in fractions if a quota says so, and memory in GiB."""

    cores: float
    memory_gib: float


def usable_resources(system: Path = _SYSTEM) -> Resources:
    """Read what can be used now; a cpuset is part of the affinity."""
    cores = float(len(os.sched_getaffinity(0)))
    memory = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return Resources(
        cores=min(cores, *_quotas(system)), memory_gib=min(memory, *_memory_limits(system)) / _GIB
    )


def _quotas(system: Path) -> Iterator[float]:
    """Yield the CPU quotas of this process's cgroups, in cores."""
    yield float("inf")
    for directory in _directories(system, "cpu"):
        version_1 = _words(directory / "cpu.cfs_quota_us") + _words(directory / "cpu.cfs_period_us")
        match _words(directory / "cpu.max") or version_1:
            case [quota, period] if quota not in ("max", "-1"):
                yield int(quota) / int(period)


def _memory_limits(system: Path) -> Iterator[float]:
    """Yield the memory limits of this process's cgroups, in bytes."""
    yield float("inf")
    for directory in _directories(system, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):  # versions 2 and 1
            yield from (float(limit) for limit in _words(directory / name) if limit != "max")


def _directories(system: Path, controller: str) -> Iterator[Path]:
    """Yield the directories of this process's cgroup and of those above it, for they limit it too.

    In a container the path may be the host's, which does not exist there: then the topmost is its own.
    """
    top = system / "sys/fs/cgroup"
    for line in _lines(system / "proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" or controller in controllers.split(","):
            mounted = top if number == "0" else top / controller
            cgroup = mounted / path.strip("/")
            yield from (each for each in (cgroup, *cgroup.parents) if each.is_relative_to(mounted))


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:  # another version, or no cgroups at all
        return []
