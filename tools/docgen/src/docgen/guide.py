"""The generated part of docs/api.md: the table of error codes."""

import re
from pathlib import Path
from typing import Final

from httpkit.openapi.error_catalogue import ERROR_CATALOGUE
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import STATUS

GUIDE: Final = Path(__file__).parents[4] / "docs/api.md"

_PART: Final = re.compile(r"(<!-- errors: .*? -->\n).*?(<!-- /errors -->)", re.DOTALL)


def guide() -> str:
    """Return the guide with its table of errors regenerated."""
    rows = [f"| `{code}` | {STATUS[code]} | {ERROR_CATALOGUE[code]} |" for code in sorted(ErrorCode)]
    table = "\n".join(["| code | status | meaning |", "|---|---|---|", *rows])
    return _PART.sub(lambda part: f"{part[1]}\n{table}\n\n{part[2]}", GUIDE.read_text())
