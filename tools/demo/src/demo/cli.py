"""`make demo`: send the data set through a running stack and check the result."""

import asyncio
import os
import sys

import aiohttp
from rich.console import Console

from demo.dataset import known_answer
from demo.dataset.generate import generate
from demo.dataset.known_answer import KnownAnswer
from demo.dataset.records import DataSet
from demo.progress import display_on
from demo.run.api import log_in
from demo.run.driver import Report, drive
from demo.run.gateway import Gateway
from demo.run.receiving import receiving
from demo.table import show
from devstack.console.printable import printable
from devstack.errors import StackError
from devstack.settings import StackSettings

_INTERRUPTED = 130
_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30)


def run() -> None:
    """Run the demo against the stack on this machine.

    Raises:
        SystemExit: it failed (1), or was interrupted (130).
    """
    console = Console(highlight=False, markup=False, emoji=False)
    try:
        settings = StackSettings.from_environment(os.environ, stores_only=False)
        url = f"http://localhost:{settings.gateway_port}"
        report = asyncio.run(demo(url, console, generate(), known_answer.load()))
    except KeyboardInterrupt:
        console.print("demo stopped: what was sent stays, and the next run takes it into account")
        sys.exit(_INTERRUPTED)
    except StackError as exc:
        print(f"error: {printable(str(exc))}", file=sys.stderr)  # noqa: T201 - one line, for people and scripts alike
        sys.exit(1)
    if report.differences:
        sys.exit(1)


async def demo(url: str, console: Console, data: DataSet, answer: KnownAnswer) -> Report:
    """Send a data set to the stack at `url`, compare the result with its known answer, and show it.

    Raises:
        DemoError: the stack is unreachable, stopped responding or rejected a valid request.
    """
    async with aiohttp.ClientSession(timeout=_REQUEST_TIMEOUT) as session:
        gateway = Gateway(session, url=url)
        await gateway.check_reachable()
        api = await log_in(gateway)
        async with receiving(api) as inbox:
            with display_on(console) as display:
                report = await drive(api, data, answer=answer, display=display, inbox=inbox)
    show(report, console)
    return report
