"""The synchronous Python client, made of the asynchronous one."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from unasync import Rule, unasync_files

_PACKAGE: Final = Path(__file__).parents[4] / "clients/python/src/waybill"
_RENAMED: Final = {
    "_async": "_sync",
    "async_sleep": "sleep",
    "asynccontextmanager": "contextmanager",
    "aclose": "close",
    "aiter_bytes": "iter_bytes",
    "aiter_lines": "iter_lines",
}
_OURS: Final = '--config=lint.isort.known-first-party=["waybill"]'
_OWN_CLASS: Final = re.compile(r"\bAsync([A-Z]\w*)")


def synchronous_paths() -> Iterator[Path]:
    """Yield the modules of the synchronous client, besides its docstring."""
    for path in sorted((_PACKAGE / "_async").glob("*.py")):
        if path.name != "__init__.py":
            yield _PACKAGE / "_sync" / path.name


def synchronous(path: Path) -> str:
    """Return the text of a module of the synchronous client."""
    return _texts()[path.name]


@cache
def _texts() -> dict[str, str]:
    """Return the text of each module, formatted: without `await`, lines are shorter."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "_async"), Path(folder, "_sync")
        source.mkdir()
        renamed = dict(_RENAMED)
        for path in synchronous_paths():
            text = (_PACKAGE / "_async" / path.name).read_text()
            renamed |= {f"Async{name}": name for name in _OWN_CLASS.findall(text)}
            (source / path.name).write_text(text)
        rule = Rule("/_async/", "/_sync/", additional_replacements=renamed)
        unasync_files([str(path) for path in sorted(source.iterdir())], [rule])
        _run_ruff("check", "--quiet", "--fix", "--select", "I,UP034", _OURS, str(target))
        _run_ruff("format", "--quiet", str(target))
        return {path.name: path.read_text() for path in target.iterdir()}


def _run_ruff(command: str, *arguments: str) -> None:
    settings = Path(__file__).parents[4] / "pyproject.toml"
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "ruff", command, "--no-cache", "--config", str(settings), *arguments],
        check=True,
    )
