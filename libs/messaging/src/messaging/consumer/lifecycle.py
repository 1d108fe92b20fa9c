"""Start and stop of a consumer, which aiokafka leaves without a time limit."""

import asyncio
import contextlib
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError

_log = structlog.get_logger(__name__)

_LEAVE_S: Final = 2.0
_RETRY_S: Final = 1.0


async def start(consumer: Any, stopping: asyncio.Event) -> None:  # noqa: ANN401  # aiokafka ships no types
    """Start a consumer once Kafka is reachable, unless `stopping` is set first."""
    while not stopping.is_set():
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            _log.warning("kafka_unreachable", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _RETRY_S)
        else:
            return


async def stop(consumer: Any) -> None:  # noqa: ANN401  # as above
    """Leave the group and close, within a time limit."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await asyncio.wait_for(consumer.stop(), _LEAVE_S)
