"""The job with Quix Streams: a sink that gets the batch of each partition at every checkpoint.

A checkpoint is made every second: at the default, five, events would be seen late. One every 2,000 records
was no faster.
"""

import job
from pydantic_core import to_json
from pymongo import MongoClient
from quixstreams import Application
from quixstreams.kafka import Producer
from quixstreams.sinks import BatchingSink, SinkBatch


class ShipmentSink(BatchingSink):
    """Sink with two reads, then two writes, per batch; a crash between the writes leaves only the first."""

    def __init__(self, producer: Producer) -> None:
        super().__init__()
        self._producer = producer

    def setup(self) -> None:
        """Connect."""
        client: MongoClient[job.Document] = MongoClient(job.MONGO_URI)
        database = client.get_database(job.DATABASE, write_concern=job.MAJORITY)
        self._shipments = database["shipments"]
        self._events = database["status_events"]

    def write(self, batch: SinkBatch) -> None:
        """Apply the records of one partition since the last checkpoint."""
        for chunk in batch.iter_chunks(job.BATCH):
            self._apply([item.value for item in chunk])

    def _apply(self, events: list[job.Event]) -> None:
        seen = {each["_id"] for each in self._events.find(job.known_events(events), {"_id": 1})}
        found = self._shipments.find(job.shipments_of(events), job.STATE)
        writes = job.judge(events, seen, {each["_id"]: each for each in found})
        if writes.shipments:
            self._shipments.bulk_write(writes.shipments, ordered=False)
        if writes.events:
            self._events.insert_many(writes.events, ordered=False)
        self._publish(writes.messages)

    def _publish(self, messages: list[job.Document]) -> None:
        for topic, key, value in job.addressed(messages):
            self._producer.produce(topic=topic, key=key.encode(), value=to_json(value))
        if messages:
            self._producer.flush()


def main() -> None:
    """Consume until SIGTERM."""
    app = Application(
        broker_address=job.BROKERS,
        consumer_group=job.GROUP,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        auto_create_topics=False,
        loglevel="WARNING",
        producer_extra_config={"acks": "all", "compression.type": "snappy"},
    )
    with app.get_producer() as producer:
        app.dataframe(app.topic(job.TOPIC, value_deserializer="json")).sink(ShipmentSink(producer))
        app.run()


if __name__ == "__main__":
    main()
