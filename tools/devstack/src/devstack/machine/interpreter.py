"""The Python that runs the services: how it was built, as far as it says."""

import platform
import sysconfig
from collections.abc import Collection

_DEBIAN = "deb_system"


def python_build() -> str:
    """Describe this Python: its version, and the optimisations that it was built with."""
    kind = optimisations(str(sysconfig.get_config_var("CONFIG_ARGS")), sysconfig.get_scheme_names())
    return f"Python {platform.python_version()} ({kind or 'built without optimisations'})"


def slow_build() -> str | None:
    """Return advice if this Python was built without optimisations, else None."""
    if optimisations(str(sysconfig.get_config_var("CONFIG_ARGS")), sysconfig.get_scheme_names()):
        return None
    return (
        f"{python_build()}: it needs about an eighth more CPU than an optimised one;"
        " apt-get install python3 python3-venv, then make clean"
    )


def optimisations(arguments: str, schemes: Collection[str]) -> str:
    """Return how a Python was optimised; empty if it was not.

    Args:
        arguments: of the `configure` that built it.
        schemes: its installation schemes: Debian and Ubuntu add one. They profile it by their own recipe,
            and the arguments do not say so.
    """
    if _DEBIAN in schemes:
        return "PGO, by Debian"
    found = [
        name
        for option, name in (("--enable-optimizations", "PGO"), ("--with-lto", "LTO"))
        if option in arguments
    ]
    return " and ".join(found) if "PGO" in found else ""
