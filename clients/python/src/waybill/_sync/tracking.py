"""Public view of shipments, and links that show more."""

from waybill._sync.connection import Connection
from waybill.models import ListedLink, NewLink, PublicShipment
from waybill.models.page import Whole
from waybill.operations import CREATE_LINK, DELETE_LINK, GET_PUBLIC_SHIPMENT, LIST_LINKS
from waybill.transport import Call


class Links:
    """Links to the tracking page of a shipment: at most five, which end 30 days after the shipment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, tracking_number: str) -> NewLink:
        """Create a link. Its `url` is shown this once.

        Raises:
            NotFound: there is no such shipment.
            Conflict: the shipment has five, or ended more than 30 days ago.
        """
        reply = self._connection.call(Call(operation=CREATE_LINK, steps={"tracking_number": tracking_number}))
        return reply.as_model(NewLink)

    def list(self, tracking_number: str) -> tuple[ListedLink, ...]:
        """Return the links of a shipment, oldest first, without their tokens.

        Raises:
            NotFound: there is no such shipment.
        """
        reply = self._connection.call(Call(operation=LIST_LINKS, steps={"tracking_number": tracking_number}))
        return reply.as_model(Whole[ListedLink]).data

    def delete(self, tracking_number: str, link_id: str) -> None:
        """Delete a link: its page shows no more than the public view from then on.

        Raises:
            NotFound: there is no such shipment or link.
        """
        steps = {"tracking_number": tracking_number, "link_id": link_id}
        self._connection.call(Call(operation=DELETE_LINK, steps=steps))


class Public:
    """View of anybody who has a tracking number; no credentials are needed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def shipment(self, tracking_number: str) -> PublicShipment:
        """Return the statuses and known checkpoints of a shipment with their times.

        Raises:
            NotFound: the number is unknown, mistyped, or none; counts as ten requests.
        """
        reply = self._connection.call(
            Call(operation=GET_PUBLIC_SHIPMENT, steps={"tracking_number": tracking_number})
        )
        return reply.as_model(PublicShipment)
