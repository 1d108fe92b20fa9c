"""Spans of appends to the log, if tracing is enabled."""

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer

from domain.ports.core import CommandLog
from domain.shipments.commands import Command
from servicekit.tracing import traceparent_in


class TracedCommandLog:
    """`CommandLog` that creates a span for each append and sends its `traceparent` with the commands."""

    def __init__(self, log: CommandLog, tracer: Tracer, *, topic: str) -> None:
        self._log = log
        self._tracer = tracer
        self._topic = topic

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """See `CommandLog.append`."""
        if not trace.get_current_span().is_recording():
            await self._log.append(commands, reply_to=reply_to, traceparent=traceparent)
            return
        with self._tracer.start_as_current_span(
            f"send {self._topic}",
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": self._topic,
                "messaging.batch.message_count": len(commands),
            },
        ) as span:
            if len(commands) == 1:
                span.set_attribute("waybill.event_id", commands[0].event_id)
            await self._log.append(commands, reply_to=reply_to, traceparent=traceparent_in(span))
