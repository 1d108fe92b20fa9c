"""`python -m tests.upgrade.chosen_releases run`: the embedded stack, each replica by a release of its own.

The file `releases/NAME` in WAYBILL_HOME has the interpreter of the release that runs the replica NAME. It is
read at each start of the replica: with another one in it, ending the process replaces the release.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from devstack.__main__ import app
from devstack.parts import services
from devstack.supervision.part import Part

FOLDER: Final = "releases"
TOOLBOX: Final = "toolbox"
"""Name of the choice for what prepares the stores: the topics and the schema."""

_service_part, _preparation = services.service_part, services.preparation


def _chosen(name: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command by the interpreter that is chosen when it runs."""
    choice = Path(os.environ["WAYBILL_HOME"], FOLDER, name)
    return ("/bin/sh", "-c", 'exec "$(cat "$0")" "$@"', str(choice), *command[1:])


def _chosen_part(group: str, name: str, *, port: int, environment: Mapping[str, str]) -> Part:
    part = _service_part(group, name, port=port, environment=environment)
    return replace(part, command=_chosen(name, part.command))


def _chosen_preparation(name: str) -> tuple[str, ...]:
    return _chosen(TOOLBOX, _preparation(name))


if __name__ == "__main__":
    setattr(services, "service_part", _chosen_part)  # noqa: B010  # for this process only
    setattr(services, "preparation", _chosen_preparation)  # noqa: B010  # as above
    app()
