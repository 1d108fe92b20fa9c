"""The table of responses by caller in `docs/api.md`: the one place where it stands."""

import re

from tests.support.printed_calls import ROOT

CALLERS = ("admin", "owner", "stranger", "sender", "other driver", "nobody")

_ROW = re.compile(r"^\| `([A-Z]+ [^`]+)` \|((?: \d{3} \|){6})$", re.MULTILINE)


def access_table() -> dict[str, tuple[int, ...]]:
    """Return the status for each of `CALLERS`, by route."""
    text = (ROOT / "docs/api.md").read_text()
    return {
        route: tuple(int(status) for status in statuses.split("|") if status.strip())
        for route, statuses in _ROW.findall(text)
    }
