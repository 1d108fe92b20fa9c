"""The probe of Kafka has one connection, for all who ask."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from messaging import health
from messaging.settings import KafkaSettings


class Client:
    """Counts itself; connects a little later."""

    def __init__(self, made: list["Client"], **_: Any) -> None:  # noqa: ANN401  # as aiokafka takes them
        made.append(self)
        self.is_closed = False
        self.cluster = self

    async def bootstrap(self) -> None:
        await asyncio.sleep(0.01)

    async def close(self) -> None:
        self.is_closed = True

    @staticmethod
    def brokers() -> list[SimpleNamespace]:
        return [SimpleNamespace(nodeId=1)]

    async def send(self, _broker: int, _request: object) -> None:
        await asyncio.sleep(0)


async def test_two_first_questions_at_once_leave_no_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Client] = []
    monkeypatch.setattr(health, "AIOKafkaClient", lambda **options: Client(made, **options))
    probe = health.KafkaProbe(KafkaSettings())
    assert all(await asyncio.gather(probe.ping(), probe.ping()))
    await probe.stop()
    assert [client.is_closed for client in made] == [True]
