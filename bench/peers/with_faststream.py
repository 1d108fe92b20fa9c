"""The job with FastStream: a batch subscriber that acknowledges after the handler."""

import asyncio
import logging
from typing import Any

import job
import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic_core import from_json
from writing import Writer

broker = KafkaBroker(job.BROKERS.split(","), acks="all", compression_type="snappy", log_level=logging.DEBUG)


async def decoded(message: Any) -> Any:  # noqa: ANN401  # what FastStream hands over
    """Parse the bodies: FastStream does not parse those whose content type is not plain JSON."""
    return [from_json(body) for body in message.body]


@broker.subscriber(
    job.TOPIC,
    group_id=job.GROUP,
    batch=True,
    max_records=job.BATCH,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,
    decoder=decoded,
)
async def apply(events: list[dict[str, Any]]) -> None:
    """Apply one batch, and publish what it has changed: one by one, for a batch goes to one partition."""
    sent = [
        await broker.publish(value, topic, key=key.encode(), no_confirm=True)
        for topic, key, value in job.addressed(await writer.apply(events))
    ]
    await asyncio.gather(*sent)


async def main() -> None:
    """Consume until SIGTERM."""
    global writer  # noqa: PLW0603  # the driver wants its loop
    writer = Writer()
    await FastStream(broker).run(log_level=logging.WARNING)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
