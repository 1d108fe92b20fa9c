"""`python -m tests.upgrade.write_golden`: the golden files, written by the last release itself.

It runs the last release, spends a day on it, and writes what the day left in each store and at each caller.
To be run once for each release, when `LAST_RELEASE` moves; the files are then the formats that the present
code must read.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from bson import json_util
from redis.asyncio import Redis

from messaging.topics import Topics
from servicekit.background_tasks import in_background
from storage.mongo.database import open_database
from tests.support.api import Api, Json, open_api
from tests.support.receiving.receiver import Received, receiver
from tests.support.topics import read_topic
from tests.upgrade.golden import FOLDER, text_of
from tests.upgrade.golden_day import Day
from tests.upgrade.release import LAST_RELEASE, last_release
from tests.upgrade.rolling_stack import RollingStack, rolling_stack

USERS: Final = ("admin_user", "client_user_001", "driver_user_001")
_LISTS: Final = (
    "/shipments?limit=2",
    "/shipments?limit=2&status=created",
    "/operator-actions?limit=3",
    "/auth/users",
    "/webhooks?limit=1",
    "/quarantine",
    "/dead-letters?state=open",
)


async def write() -> None:
    """Run the last release, and write all files."""
    with tempfile.TemporaryDirectory(prefix="waybill-golden-") as directory:
        async with rolling_stack(Path(directory), last_release()) as stack, receiver() as hooks:
            await stack.start_last()
            async with open_api(stack.url) as nobody, _replies(stack) as replies:
                tokens = {user: await nobody.log_in(user) for user in USERS}
                admin, client, driver = (nobody.by(token) for token in tokens.values())
                day = Day(admin, client, driver, hooks, stack.kafka)
                await day.spend()
                responses = [each async for each in _responses(day.admin, [*day.paths, *_LISTS])]
            _save("redis", await _keys(stack))
            _save("responses", responses)
            _save("replies", replies)
            _save("webhooks", [_request(each) for each in hooks.received])
            _save("log", await _topics(stack))
            _save("documents", await _documents(stack))
            _save("secrets", _secrets(stack, day, tokens))


async def _responses(admin: Api, paths: list[str]) -> AsyncIterator[Json]:
    """Read each path, and the next page of a list."""
    for path in paths:
        response = await admin.get(path)
        yield {"path": path, "status": response.status, "body": response.body}
        cursor = response.body.get("pagination", {}).get("next_cursor")
        if cursor is not None:
            following = f"{path}&cursor={cursor}"
            yield {"path": following, "status": 200, "body": (await admin.get(following)).body}


@asynccontextmanager
async def _replies(stack: RollingStack) -> AsyncIterator[list[Json]]:
    """Listen to all channels of Redis while the context lasts."""
    heard: list[Json] = []
    host, _, port = stack.stack.redis_addr.rpartition(":")
    async with Redis(host=host, port=int(port)) as redis, redis.pubsub() as subscription:
        await subscription.psubscribe("*")

        async def listen() -> None:
            async for message in subscription.listen():
                if message["type"] == "pmessage":
                    heard.append(  # noqa: PERF401  # it never ends
                        {name: message[name].decode() for name in ("channel", "data")}
                    )

        async with in_background(listen(), name="golden replies"):
            yield heard


async def _keys(stack: RollingStack) -> Json:
    """Read every key of Redis: texts, members of sets, and members with their scores."""
    host, _, port = stack.stack.redis_addr.rpartition(":")
    found: Json = {}
    async with Redis(host=host, port=int(port), decode_responses=True) as redis:
        for key in sorted([each async for each in redis.scan_iter()]):
            match await redis.type(key):
                case "string":
                    found[key] = await redis.get(key)
                case "set":
                    found[key] = sorted(await redis.smembers(key))
                case "zset":
                    scored = await redis.zrange(key, 0, -1, withscores=True)
                    found[key] = dict(cast("list[tuple[str, float]]", scored))
    return found


async def _topics(stack: RollingStack) -> Json:
    """Read all records of all topics, without what is damaged beyond a text."""
    return {
        name: [
            {
                "partition": record.partition,
                "offset": record.offset,
                "timestamp": record.timestamp,
                "key": text_of(record.key),
                "headers": [[key, text_of(value)] for key, value in record.headers],
                "value": text_of(record.value),
            }
            for record in await read_topic(stack.kafka, name)
        ]
        for name in Topics().all()
    }


async def _documents(stack: RollingStack) -> Mapping[str, Any]:
    async with open_database(stack.mongo) as database:
        names = sorted(await database.list_collection_names())
        found = {name: await database[name].find().sort("_id").to_list() for name in names}
    canonical: Mapping[str, Any] = json.loads(
        json_util.dumps(found, json_options=json_util.CANONICAL_JSON_OPTIONS)
    )
    return canonical


def _request(received: Received) -> Json:
    headers = {name: text for name, text in received.headers.items() if name.lower().startswith("webhook-")}
    return {"path": received.path, "headers": headers, "body": received.body.decode()}


def _secrets(stack: RollingStack, day: Day, tokens: Mapping[str, str]) -> Json:
    home = stack.stack.home
    return {
        "release": LAST_RELEASE,
        "jwt_secret": home.jwt_secret(),
        "webhooks_keys": home.webhooks_keys(),
        "numbers": day.numbers,
        "shown": day.secrets,
        "tokens": tokens,
    }


def _save(name: str, content: object) -> None:
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(write())
    sys.stdout.write(f"written: {FOLDER}\n")
