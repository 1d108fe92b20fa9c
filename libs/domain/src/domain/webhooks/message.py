"""Messages: the types under which changes of shipments are told."""

from typing import Final

from domain.shipments.status import Status

CREATED: Final = "shipment.created"
CHECKPOINT: Final = "shipment.checkpoint"
AMENDED: Final = "shipment.amended"
CORRECTED: Final = "shipment.corrected"
TEST: Final = "webhook.test"
"""Type of the message that an endpoint is tested with; nobody subscribes to it."""

MESSAGE_TYPES: Final = (*(f"shipment.{status}" for status in Status), CHECKPOINT, AMENDED, CORRECTED)


def status_type(status: Status) -> str:
    """Return the type of the message about a shipment that has reached `status`."""
    return f"shipment.{status}"
