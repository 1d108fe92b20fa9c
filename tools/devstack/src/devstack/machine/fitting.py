"""A stack that fits its machine: settings that nobody has set, and what is said about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from devstack.machine.interpreter import slow_build
from devstack.machine.resources import usable_resources
from devstack.machine.sizes import sizes_for, sizes_line


@dataclass(frozen=True, slots=True)
class Fit:
    """A whole environment, and lines about what was chosen."""

    environment: Mapping[str, str]
    notes: tuple[str, ...]


def fit_machine(given: Mapping[str, str], *, stores_only: bool) -> Fit:
    """Choose sizes for this machine; what is given stays."""
    resources = usable_resources()
    chosen = sizes_for(resources).as_settings()
    if stores_only:
        chosen = {name: size for name, size in chosen.items() if name == "WAYBILL_MONGO_CACHE_GB"}
    notes = (sizes_line(resources, chosen, given), slow_build())
    set_ones = {name: value for name, value in given.items() if value}
    return Fit({**given, **chosen, **set_ones}, tuple(note for note in notes if note))
