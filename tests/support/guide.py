"""Tasks of docs/api.md, each as calls of curl, in Python, and with the command."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.printed_calls import PRINTED_URL, ROOT, run_calls
from tests.support.stack import StackAddresses

FORMS = ("curl", "python", "command")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:\w+=\$\()?waybill |\| waybill ", re.MULTILINE)


def form_of(language: str, text: str) -> str:
    """Return the form of a block: one of `FORMS`."""
    if language == "python":
        return "python"
    return "command" if _COMMAND.search(text) else "curl"


def tasks() -> dict[str, list[tuple[str, str]]]:
    """Return the blocks of each task of the page that has any, as printed: form and text, by title."""
    parts = _SECTION.split((ROOT / "docs/api.md").read_text())[1:]
    found = {
        title: [(form_of(language, text), text) for language, text in _BLOCK.findall(body)]
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }
    return {title: blocks for title, blocks in found.items() if blocks}


def programs(form: str) -> dict[str, str]:
    """Return the blocks of one form, those of a task as one text, by title."""
    return {
        title: "\n".join(text for each, text in blocks if each == form) for title, blocks in tasks().items()
    }


def run_curl(stack: StackAddresses, scratch: Path) -> dict[str, str]:
    """Run all calls of curl, one after the other, as one script; return what each task prints."""
    return _by_title(run_calls(_marked(programs("curl")), stack, scratch))


def run_commands(stack: StackAddresses, scratch: Path) -> dict[str, str]:
    """Run all commands, one after the other, as one script; return what each task prints.

    The script begins with the first block of the page, which defines what all blocks of the shell use.
    """
    first = next(iter(programs("curl").values()))
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(scratch),
    }
    return _by_title(run_calls(f"{first}\n{_marked(programs('command'))}", stack, scratch, env=env))


def run_python(stack: StackAddresses, scratch: Path) -> dict[str, str]:
    """Run all tasks in Python, one after the other, as one program; return what each prints."""
    marked = [f"print('## {title}')\n{script}" for title, script in programs("python").items()]
    program = scratch / "guide.py"
    program.write_text("\n".join(marked).replace(PRINTED_URL, stack.gateway_url))
    ran = subprocess.run([sys.executable, program], cwd=scratch, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return _by_title(ran.stdout)


def _marked(scripts: Mapping[str, str]) -> str:
    return "\n".join(f"echo '## {title}'\n{script}" for title, script in scripts.items())


def _by_title(printed: str) -> dict[str, str]:
    return dict(part.partition("\n")[::2] for part in printed.removeprefix("## ").split("\n## "))
