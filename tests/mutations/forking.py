"""Many short runs of pytest: each in a fork of a process that has loaded the libraries, not the product.

`python -m tests.mutations.forking` reads lines of JSON, each the arguments of one run, and replies with
a line: its exit code and its output.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import aiohttp.web  # noqa: F401  # loaded once for all
import aiokafka  # noqa: F401
import hypothesis  # noqa: F401
import pydantic_settings  # noqa: F401
import pymongo.asynchronous.mongo_client  # noqa: F401
import pytest
import redis.asyncio  # noqa: F401
import structlog  # noqa: F401


def main() -> None:
    """Run pytest for each line of the input."""
    with tempfile.TemporaryDirectory(prefix="forked-") as place:
        for index, line in enumerate(sys.stdin):
            output = Path(place) / str(index)
            sys.stdout.write(
                json.dumps({"code": run(json.loads(line), output), "output": output.read_text()})
            )
            sys.stdout.write("\n")
            sys.stdout.flush()


def run(args: list[str], output: Path) -> int:
    """Run pytest in a fork, and return how it ended."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with output.open("w") as written:
        os.dup2(written.fileno(), 1)
        os.dup2(written.fileno(), 2)
    # Without the ends of an ordinary exit: the parent's files are not this fork's to close.
    os._exit(_run_pytest(args))


def _run_pytest(args: list[str]) -> int:
    try:
        return int(pytest.main(args))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
