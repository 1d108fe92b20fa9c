"""Sending of batches through the client."""

from collections.abc import Sequence
from datetime import timedelta

from waybill._sync.client import Waybill
from waybill.errors import ApiError
from waybill.models.events import QueuedBatch
from waybill.operations import REPORT_EVENTS
from waybill.outbox.answers import Verdicts, is_refused_as_a_whole, refusals_of, verdicts_of
from waybill.transport import Call


class Sender:
    """Sends the lines of one flush."""

    def __init__(self, client: Waybill) -> None:
        self._client = client

    @property
    def clock_skew(self) -> timedelta | None:
        """Time by which this device's clock is ahead of the API's; None if no answer said it."""
        offset_s = self._client.clock_offset_s
        return None if offset_s is None else timedelta(seconds=-round(offset_s))

    def send(self, lines: Sequence[str]) -> Verdicts:
        """Send lines in their order, and return the verdicts; none if fewer lines have to be sent.

        Raises:
            ApiError: the API did not judge the lines.
            ConnectionFailed: there was no answer.
        """
        call = Call(
            operation=REPORT_EVENTS,
            ndjson="\n".join(lines).encode(),
            headers={"Prefer": "handling=lenient"},
        )
        try:
            reply = self._client._connection.call(call)  # noqa: SLF001  # of this package: nothing public needs it
        except ApiError as error:
            verdicts = refusals_of(error, len(lines))
            if verdicts or (len(lines) > 1 and is_refused_as_a_whole(error)):
                return verdicts
            raise
        return verdicts_of(reply.as_model(QueuedBatch), len(lines))
