"""A replica that only sends, as a process of its own: `python -m tests.support.receiving.replica URI NAME`.

Its environment may name a point at which it faults, see `tests.support.crashing`.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from storage.mongo.database import open_database
from storage.settings import MongoSettings
from tests.support.crashing.striking import Act, arm
from tests.support.crashing.webhook_points import WebhookPoint
from tests.support.receiving.outbox import FAST, Outbox

_KEY = "WEBHOOKS_KEYS"


@asynccontextmanager
async def replica(outbox: Outbox, *, strike: Mapping[str, str] | None = None) -> AsyncIterator[Process]:
    """Run a replica on the database of a test, and kill it with the context if it still runs."""
    client = outbox.database.client
    host, port = (await client.address) or ("127.0.0.1", 27017)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.receiving.replica", f"mongodb://{host}:{port}/?directConnection=true"),
        outbox.database.name,
        env={**os.environ, _KEY: outbox.key, **(strike or {})},
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 50) == b"sending\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _main(uri: str, name: str) -> None:
    settings = MongoSettings(MONGO_URI=uri, MONGO_DB=name)  # type: ignore[call-arg]  # pydantic's alias
    async with open_database(settings) as database:
        outbox = Outbox(database, key=os.environ[_KEY])
        async with outbox.delivering(timing=FAST, owner="replica"):
            sys.stdout.write("sending\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    if point := os.environ.get("STRIKE_AT"):
        arm(WebhookPoint[point].value, int(os.environ["STRIKE_ON"]), Act(os.environ["STRIKE_BY"]))
    asyncio.run(_main(*sys.argv[1:]))
