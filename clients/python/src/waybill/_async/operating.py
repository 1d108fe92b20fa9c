"""Partitions, quarantine, and the log of operator actions; for admins."""

from typing import Unpack

from waybill._async.connection import AsyncConnection
from waybill._async.listing import AsyncListing
from waybill.fields import ActionFilters
from waybill.models import ListedPartition, OperatorAction, Partition, QuarantinedShipment
from waybill.models.page import Whole
from waybill.operations import (
    LIST_OPERATOR_ACTIONS,
    LIST_PARTITIONS,
    LIST_QUARANTINE,
    QUARANTINE_SHIPMENT,
    RELEASE_SHIPMENT,
    RESUME_PARTITION,
)
from waybill.transport import PAGE_SIZE, Call
from waybill.values import query_of


class AsyncPartitions:
    """Partitions of the log; for admins."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self) -> tuple[ListedPartition, ...]:
        """Return the partitions with their owners, halts and backlogs."""
        reply = await self._connection.call(Call(operation=LIST_PARTITIONS))
        return reply.as_model(Whole[ListedPartition]).data

    async def resume(self, partition: int, reason: str, *, from_: str = "committed") -> Partition:
        """Resume a halted partition.

        Args:
            partition: its number.
            reason: for people; it is recorded.
            from_: `committed`: after the last record that was applied or dead-lettered; `earliest`: at the
                start of the log, accepting the loss of deleted records; `next`: after the record that is the
                cause, which is skipped.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            NotFound: there is no such partition.
            Conflict: it is not halted, or cannot resume from there.
        """
        call = Call(
            operation=RESUME_PARTITION,
            steps={"partition": partition},
            body={"reason": reason, "from": from_},
        )
        reply = await self._connection.call(call)
        return reply.as_model(Partition)


class AsyncQuarantine:
    """Shipments whose records become dead letters instead of being applied; for admins."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self) -> tuple[QuarantinedShipment, ...]:
        """Return the quarantined shipments."""
        reply = await self._connection.call(Call(operation=LIST_QUARANTINE))
        return reply.as_model(Whole[QuarantinedShipment]).data

    async def set(self, tracking_number: str, reason: str, *, only_new: bool = False) -> QuarantinedShipment:
        """Quarantine a shipment.

        Args:
            tracking_number: of the shipment.
            reason: for people; it is recorded.
            only_new: fail if it is quarantined already, instead of replacing its reason.

        Raises:
            BadRequest: the number or the reason is invalid.
            Conflict: as many shipments are quarantined as may be.
            PreconditionFailed: it is quarantined already.
        """
        call = Call(
            operation=QUARANTINE_SHIPMENT,
            steps={"tracking_number": tracking_number},
            body={"reason": reason},
            headers={"If-None-Match": "*"} if only_new else {},
        )
        reply = await self._connection.call(call)
        return reply.as_model(QuarantinedShipment)

    async def release(self, tracking_number: str) -> None:
        """Release a shipment: its new records are applied again; dead letters stay until replayed.

        Raises:
            NotFound: it is not quarantined.
        """
        await self._connection.call(
            Call(operation=RELEASE_SHIPMENT, steps={"tracking_number": tracking_number})
        )


class AsyncOperatorActions:
    """Log of what operators did; for admins."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(
        self, *, limit: int = PAGE_SIZE, **filters: Unpack[ActionFilters]
    ) -> AsyncListing[OperatorAction]:
        """List operator actions, newest first."""
        call = Call(operation=LIST_OPERATOR_ACTIONS, query=query_of(**filters, limit=limit))
        return AsyncListing(self._connection, call, OperatorAction)
