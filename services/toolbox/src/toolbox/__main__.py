"""`waybill-admin COMMAND`: commands on the stores, with the environment of the services."""

import sys
from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "schema": ("toolbox.schema", "migrate the database to this release, or wait until it is migrated"),
    "topics": ("toolbox.topics", "create the topics that are missing"),
    "partitions": ("toolbox.partitions", "show the partitions of the log, or let it grow to more"),
    "backup": ("toolbox.backup", "write, list, check and restore backups of the database"),
    "rebuild": (
        "toolbox.rebuild.command",
        "compare shipments with the log or the audit trail, or replace them",
    ),
    "secrets": ("toolbox.secret_file", "write random secrets into files that are missing"),
    "check-settings": ("toolbox.settings_check", "report errors in the environment"),
}
_USAGE_EXIT_CODE: Final = 2


def main() -> int:
    """Run the command named by the first argument; return its exit code, or 2 for an unknown command."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("-h", "--help"):
        sys.stdout.write(_usage())
        return 0
    if name not in COMMANDS:
        sys.stderr.write(_usage())
        return _USAGE_EXIT_CODE
    sys.argv = [f"waybill-admin {name}", *sys.argv[2:]]
    # Imported on demand: a backup needs no Kafka.
    code: int | None = import_module(COMMANDS[name][0]).main()
    return code or 0


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {does}" for name, (_, does) in COMMANDS.items()]
    return "\n".join(["usage: waybill-admin COMMAND [-h] ...", "", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
