"""The job with faust-streaming: an agent that takes events in batches.

`take` hands out at most so many events of all partitions and acknowledges them when the next batch is asked
for; the offsets are committed every few seconds.
"""

import asyncio
import sys

import faust
import job
from writing import Writer

app = faust.App(
    job.GROUP,
    broker=[f"kafka://{broker}" for broker in job.BROKERS.split(",")],
    consumer_auto_offset_reset="earliest",
    producer_acks=-1,
    producer_compression_type="snappy",
    topic_disable_leader=True,
    web_enabled=False,
)
topic = app.topic(job.TOPIC, key_serializer="raw", value_serializer="json")
derived = {
    f"{job.FEED}{name}": app.topic(f"{job.FEED}{name}", key_serializer="raw", value_serializer="json")
    for name in ("shipments.changes", "shipments.delivered", "shipments.location")
}


@app.agent(topic)
async def apply(stream: faust.StreamT) -> None:
    """Apply events, one batch after the other."""
    writer = Writer()
    async for events in stream.take(job.BATCH, within=0.05):
        messages = await writer.apply(list(events))
        sent = [
            await derived[name].send(key=key.encode(), value=value)
            for name, key, value in job.addressed(messages)
        ]
        await asyncio.gather(*sent)


if __name__ == "__main__":
    sys.argv = ["faust", "--loop=uvloop", "worker", "--loglevel=warn", "--without-web"]
    app.main()
