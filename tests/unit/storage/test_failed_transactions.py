"""Sessions whose transactions failed are ended, unless they are in use again."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from storage.mongo.processing.failed_transactions import FailedTransactions


class Admin:
    """Admin database whose `killSessions` returns when the test lets it."""

    def __init__(self) -> None:
        self.killed: list[list[bytes]] = []
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def command(self, _name: str, sessions: list[dict[str, bytes]]) -> None:
        self.killed.append([bytes(each["id"]) for each in sessions])
        self.asked.set()
        await self.let.wait()


def session(name: bytes) -> Any:  # noqa: ANN401  # as the driver's
    return SimpleNamespace(session_id={"id": name})


def fail(transactions: FailedTransactions, name: bytes) -> None:
    with pytest.raises(ValueError, match="failed"), transactions.tracked(session(name)):
        raise ValueError("the transaction failed")


async def test_no_write_begins_before_failed_transactions_have_ended() -> None:
    admin = Admin()
    transactions = FailedTransactions(cast("Any", SimpleNamespace(admin=admin)))
    fail(transactions, b"a")
    fail(transactions, b"b")
    begun: list[bytes] = []

    async def begin(name: bytes) -> None:
        with transactions.tracked(session(name)):
            await transactions.end()
            begun.append(name)

    both = asyncio.gather(begin(b"a"), begin(b"b"))
    await admin.asked.wait()
    await asyncio.sleep(0)
    assert begun == []
    admin.let.set()
    await both
    assert sorted(begun) == [b"a", b"b"]
    assert admin.killed == [[b"b"]]
