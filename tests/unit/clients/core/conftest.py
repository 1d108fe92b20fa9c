"""Both clients on a scripted server; what a test calls is written once."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.scripted_server import ScriptedServer, scripted_server
from waybill import AsyncWaybill, Waybill

Use = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between attempts a fiftieth: their length is tested without waiting for it."""
    monkeypatch.setattr("waybill.retries.FIRST_DELAY_S", 0.005)
    monkeypatch.setattr("waybill.retries.LONGEST_DELAY_S", 0.02)


@pytest.fixture(params=["sync", "async"])
def use(request: pytest.FixtureRequest, server: ScriptedServer) -> Use:
    """Give a function that calls one of the clients, and returns what the call returns.

    Iterators become lists.
    """

    def call(do: Callable[[Any], Any], **options: Any) -> Any:  # noqa: ANN401 - any call of a client
        given = {"username": "ana", "password": "secret"} | options
        if request.param == "sync":
            with Waybill(server.url, **given) as client:
                value = do(client)
                return list(value) if hasattr(value, "__iter__") and not _is_plain(value) else value
        return asyncio.run(_asynchronously(server.url, given, do))

    return call


async def _asynchronously(url: str, options: dict[str, Any], do: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    async with AsyncWaybill(url, **options) as client:
        value = do(client)
        if hasattr(value, "__aiter__"):
            return [each async for each in value]
        return await value if inspect.isawaitable(value) else value


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bytes | dict | tuple) or hasattr(value, "model_dump")
