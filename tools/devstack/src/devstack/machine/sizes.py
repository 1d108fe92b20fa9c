"""Sizes of a stack's parts, from the cores and the memory that there are (ADR 0034)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devstack.machine.resources import Resources

_MOST_PROCESSORS: Final = 12
"""As many as the topic has partitions by default; another one would have nothing to do."""
_CORES_A_PROCESSOR: Final = 2.0
"""A processor takes 0.4 of the CPU of an event; MongoDB, Kafka and the gateway share the cores with it."""
_OTHERS_GIB: Final = 2.0
"""Memory of Kafka, Redis, the services and the gateway together."""
_LEAST_CACHE_GIB: Final = 0.25
_CONNECTIONS_A_CORE: Final = 10
_MOST_CONNECTIONS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of a stack's parts.

    Attributes:
        mongo_cache_gb: WiredTiger's; MongoDB counts it in GiB.
        mongo_connections: of one service, at most.
    """

    processors: int
    mongo_cache_gb: float
    mongo_connections: int

    def as_settings(self) -> dict[str, str]:
        """Return the settings that say the same."""
        return {
            "PROCESSORS": str(self.processors),
            "WAYBILL_MONGO_CACHE_GB": f"{self.mongo_cache_gb:g}",
            "MONGO_MAX_POOL_SIZE": str(self.mongo_connections),
        }


def sizes_for(resources: Resources) -> Sizes:
    """Return what fits a machine: MongoDB's cache is a third of what the others leave of the memory.

    The rest is the file system's, which caches MongoDB's compressed files, and the user's.
    """
    processors = math.ceil(resources.cores / _CORES_A_PROCESSOR)
    cache = math.floor((resources.memory_gib - _OTHERS_GIB) / 3 * 4) / 4
    connections = math.ceil(resources.cores) * _CONNECTIONS_A_CORE
    return Sizes(
        processors=min(processors, _MOST_PROCESSORS),
        mongo_cache_gb=max(cache, _LEAST_CACHE_GIB),
        mongo_connections=min(connections, _MOST_CONNECTIONS),
    )


def sizes_line(resources: Resources, chosen: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Return in one line what was chosen for which machine, and what was set instead."""
    sizes = (
        f"{name}={given[name]} (as set)" if given.get(name) else f"{name}={size}"
        for name, size in chosen.items()
    )
    cores = "1 core" if resources.cores == 1 else f"{resources.cores:g} cores"
    return f"for {cores} and {resources.memory_gib:.1f} GiB: {', '.join(sizes)}"
