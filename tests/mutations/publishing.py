"""Safeguards of publishing to the log: acknowledged means stored, and stored once."""

from typing import Final

from tests.mutations.mutation import Mutation

_PRODUCER: Final = "libs/messaging/src/messaging/producer/idempotent_producer.py"
_ON_KAFKA: Final = "tests/integration/messaging/test_producer.py"
_OVER_HTTP: Final = "tests/unit/ingest_api/test_events.py"

PUBLISHING: Final = (
    Mutation(
        name="producer-not-idempotent",
        safety="a record whose acknowledgement was lost stands in the log once",
        file=_PRODUCER,
        old="                enable_idempotence=True,\n",
        new="                enable_idempotence=False,\n",
        tests=(f"{_ON_KAFKA}::test_an_acknowledgement_that_is_lost_leaves_one_record",),
    ),
    Mutation(
        name="acknowledgement-not-awaited",
        safety="an append returns only when the in-sync replicas have the records",
        file=_PRODUCER,
        old="await asyncio.wait([future for _, future in accepted])",
        new="return []",
        tests=(f"{_ON_KAFKA}::test_an_unresponsive_kafka_leaves_the_outcome_unknown_within_the_deadline",),
    ),
    Mutation(
        name="answered-before-the-log",
        safety="202 means that the log has the event",
        file="services/ingest-api/src/ingest_api/use_cases/submission.py",
        old="            await self._log.append([command], traceparent=context.traceparent)\n",
        new="            asyncio.ensure_future(\n"
        "                self._log.append([command], traceparent=context.traceparent)\n"
        "            )\n",
        tests=(f"{_OVER_HTTP}::test_event_that_may_not_be_in_the_log_is_503_with_retry_after",),
    ),
    Mutation(
        name="batch-answered-before-the-log",
        safety="202 means that the log has all events of the batch",
        file="services/ingest-api/src/ingest_api/handlers/post_events.py",
        old="    await request.app[COMMAND_LOG].append(commands, traceparent=traceparent_of(request))\n",
        new="    import asyncio\n\n    asyncio.ensure_future(request.app[COMMAND_LOG].append(commands))\n",
        tests=(f"{_OVER_HTTP}::test_event_that_may_not_be_in_the_log_is_503_with_retry_after",),
    ),
)
