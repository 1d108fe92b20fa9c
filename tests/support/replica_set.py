"""Members of a stack's MongoDB: which of them is the primary, and how far the others are."""

import asyncio
from contextlib import suppress
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from devstack.home.stack_file import Member
from tests.support.stack import RunningStack

_WITHIN_MS = 1000
_IN_STEP_S = 2.0
_PRIMARY, _SECONDARY = 1, 2


async def primary_of(stack: RunningStack) -> int | None:
    """Return the place in `stack.json` of the member that takes writes; None if none responds as such."""
    members = stack.members()["mongod"]
    greetings = await asyncio.gather(*(_ask(member, "hello") for member in members))
    primaries = [
        (hello["electionId"], index)
        for index, hello in enumerate(greetings)
        if hello and hello.get("isWritablePrimary")
    ]
    return max(primaries)[1] if primaries else None  # one that was just replaced may not know it yet


async def is_in_step(stack: RunningStack) -> bool:
    """Return whether there is a primary, and every other member has nearly all of it."""
    primary = await primary_of(stack)
    if primary is None:
        return False
    status = await _ask(stack.member("mongod", primary), "replSetGetStatus")
    members = status["members"] if status else []
    at = [member["optimeDate"] for member in members if member["state"] in (_PRIMARY, _SECONDARY)]
    return len(at) == len(stack.members()["mongod"]) and (max(at) - min(at)).total_seconds() < _IN_STEP_S


async def step_down(stack: RunningStack, seconds: int) -> None:
    """Let the primary step down, and not be elected for so long."""
    primary = await primary_of(stack)
    assert primary is not None
    assert await _ask(stack.member("mongod", primary), "replSetStepDown", seconds) is not None


async def _ask(member: Member, command: str, value: int = 1) -> dict[str, Any] | None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        port=member.port,
        directConnection=True,
        serverSelectionTimeoutMS=_WITHIN_MS,
        timeoutMS=_WITHIN_MS * (10 if command == "replSetStepDown" else 1),
    )
    try:
        with suppress(PyMongoError):
            return await client.admin.command(command, value)
        return None
    finally:
        await client.close()
