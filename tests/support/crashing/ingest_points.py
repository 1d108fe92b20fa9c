"""Crash points of an ingest-api: between every two steps of a write."""

from enum import Enum
from typing import get_args

from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.produce import ProduceRequestStruct

from ingest_api.use_cases.submission import CommandSubmitter
from messaging.producer.command_log import KafkaCommandLog
from tests.support.crashing.striking import Side, Step


def _answers_append(connection: AIOKafkaConnection, _frame: bytes) -> bool:
    _, request, _ = connection._requests[0]  # noqa: SLF001  # what the frame answers
    return isinstance(request, get_args(ProduceRequestStruct))


class IngestPoint(Enum):
    """The two steps around each point, in the order of a write."""

    BEFORE_APPEND = Step(KafkaCommandLog, "append", Side.BEFORE)
    AFTER_HANDOVER = Step(AIOKafkaProducer, "send_batch", Side.AFTER)
    AFTER_FIRST_PARTITION = Step(AIOKafkaProducer, "send_batch", Side.ANSWERED)
    BEFORE_ANSWER = Step(
        AIOKafkaConnection, "_handle_frame", Side.BEFORE, _answers_append
    )  # Kafka's, unheard
    AFTER_APPEND = Step(KafkaCommandLog, "append", Side.AFTER)
    AFTER_OUTCOME = Step(CommandSubmitter, "append", Side.AFTER)
