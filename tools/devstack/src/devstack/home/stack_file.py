"""`stack.json`: the children that run in this home, for tests, benches and people with a shell."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.home.atomic_file import write_atomically

SENTINELS = "redis-sentinel"
STORES = ("kafka", "mongod", "redis", SENTINELS)
SERVICES = ("ingest-api", "processor", "query-api", "webhooks", "portal")
GROUPS = ("gateway", *STORES, *SERVICES)


@dataclass(frozen=True, slots=True)
class Member:
    """One running child; a processor's port serves its health and metrics."""

    pid: int
    port: int


Members = Mapping[str, tuple[Member, ...]]


def collect(children: Iterable[tuple[str, Member]]) -> dict[str, tuple[Member, ...]]:
    """Group children by kind, in the order of `GROUPS`; a group without children is left out."""
    pairs = list(children)
    grouped = {name: tuple(member for group, member in pairs if group == name) for name in GROUPS}
    return {name: members for name, members in grouped.items() if members}


def write_members(path: Path, members: Members) -> None:
    """Write `stack.json` atomically."""
    content = {group: [asdict(member) for member in listed] for group, listed in members.items()}
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def read_members(path: Path) -> dict[str, tuple[Member, ...]] | None:
    """Read `stack.json`; None while the stack is not up."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return {
        group: tuple(Member(pid=item["pid"], port=item["port"]) for item in listed)
        for group, listed in content.items()
    }
