"""Every page of the repository, its blocks of code, and the commands in its text.

A block that is to be typed begins with ```sh and is run by a test, or says why not: ```sh not-run: REASON.
"""

import re
import subprocess
from dataclasses import dataclass

from tests.support.printed_calls import ROOT

NOT_RUN = "not-run: "
TYPED = ("sh", "python")
SHOWN = ("text", "json", "yaml", "js", "ts", "ini")

# Which test runs the blocks of a page.
RUN_BY = {
    "README.md": "tests/e2e/test_readme.py",
    "docs/api.md": "tests/e2e/test_guide.py",
    "docs/command.md": "tests/e2e/test_command_page.py",
    "docs/outbox.md": "tests/e2e/test_outbox_page.py",
    "docs/integration.md": "tests/e2e/test_integration_page.py",
    "docs/webhooks.md": "tests/e2e/test_webhooks_page.py",
    "docs/data.md": "tests/e2e/test_pages.py",
    "docs/runbook.md": "tests/e2e/test_pages.py",
    "docs/importing.md": "tests/e2e/test_pages.py",
    "clients/python/README.md": "tests/e2e/test_client_readme.py",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code of a page."""

    page: str
    line: int
    language: str
    note: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether readers run it, and so a test does first."""
        return self.language in TYPED and not self.note.startswith(NOT_RUN)


def pages() -> list[str]:
    """Return the paths of all pages except the changelog, which describes the past."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if name != "CHANGELOG.md"]


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    text = (ROOT / page).read_text()
    found = re.finditer(r"^[ ]*```([^\s`]*)[ ]*([^\n]*)\n(.*?)^[ ]*```[ ]*$", text, re.MULTILINE | re.DOTALL)
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2].strip(), match[3])
        for match in found
    ]


def commands(page: str) -> list[str]:
    """Return the commands of make, Python and the toolbox in the blocks and the text of a page."""
    text = (ROOT / page).read_text()
    typed = "\n".join(block.text for block in blocks(page) if block.language in TYPED)
    inline = re.findall(r"(?<!`)`((?:make|python -m|waybill-admin) [^`]+)`(?!`)", text)
    return [" ".join(command.split()) for command in inline] + re.findall(
        r"^(?:make|python -m|waybill-admin) .+", typed, re.MULTILINE
    )
