"""`waybill-admin check-settings MODULE:TREE…`: validate settings without starting a service."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

from servicekit.settings import SETTINGS_FAULT_EXIT_CODE, InvalidSettings, read_settings


def faults_in(trees: Sequence[str]) -> list[str]:
    """Return the errors of the environment for any of the settings trees, each once."""
    return list(dict.fromkeys(fault for tree in trees for fault in _faults(tree)))


def _faults(tree: str) -> Iterator[str]:
    module, _, name = tree.partition(":")
    try:
        read_settings(getattr(import_module(module), name))
    except InvalidSettings as error:
        yield from error.faults


def main() -> int:
    """Write the errors of the environment to standard error; return the exit code."""
    faults = faults_in(sys.argv[1:])
    sys.stderr.writelines(f"settings: {fault}\n" for fault in faults)
    return SETTINGS_FAULT_EXIT_CODE if faults else 0
