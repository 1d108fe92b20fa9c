"""Use cases of links to shipments: create, list, delete."""

import secrets
from datetime import datetime
from typing import Final

from aiohttp import web

from domain.access.permissions import Principal
from domain.ports.core import Clock, ShipmentReader
from domain.ports.public import LinkStore, PublicShipmentReader
from domain.ports.queries import scope_of
from domain.shipments.links import (
    ENTROPY_BYTES,
    KEPT_FOR,
    MOST_LINKS,
    LinkId,
    ShipmentLink,
    expires_at,
    is_valid,
    link_id_from,
    link_token_from,
    token_hash,
)
from domain.shipments.tracking_number import TrackingNumber
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from query_api.not_found import require_shipment


class Links:
    """Management of links; a client has those of its own shipments, an admin all."""

    def __init__(
        self, shipments: ShipmentReader, public: PublicShipmentReader, store: LinkStore, clock: Clock
    ) -> None:
        self._shipments = shipments
        self._public = public
        self._store = store
        self._clock = clock

    async def create(
        self, tracking_number: TrackingNumber, *, by: Principal
    ) -> tuple[ShipmentLink, str, datetime | None]:
        """Create a link; return it with its token, which is shown this once, and when it ends.

        Raises:
            ApiError: 404 or 403 for the shipment, 409 if it ended long ago or has `MOST_LINKS`.
        """
        ended_at, now = await self._end_of(tracking_number, by), self._clock.now()
        if not is_valid(ended_at, now):
            message = f"the shipment ended more than {KEPT_FOR.days} days ago, and its links with it"
            raise ApiError(ErrorCode.LINKS_ENDED, message)
        token = link_token_from(secrets.token_bytes(ENTROPY_BYTES))
        link = ShipmentLink(
            link_id=link_id_from(secrets.token_bytes(ENTROPY_BYTES)),
            tracking_number=tracking_number,
            created_by=by.subject,
            created_at=now,
        )
        if not await self._store.add(link, token_hash(token)):
            raise ApiError(ErrorCode.TOO_MANY_LINKS, f"the shipment has {MOST_LINKS} links: delete one")
        return link, token, await self._noted_end(tracking_number, ended_at)

    async def of_shipment(
        self, tracking_number: TrackingNumber, *, by: Principal
    ) -> tuple[list[ShipmentLink], datetime | None]:
        """Return the links of a shipment, and when they end.

        Raises:
            ApiError: 404 or 403 for the shipment.
        """
        ended_at = await self._end_of(tracking_number, by)
        end = await self._noted_end(tracking_number, ended_at)
        if not is_valid(ended_at, self._clock.now()):
            return [], end
        return await self._store.of_shipment(tracking_number), end

    async def delete(self, tracking_number: TrackingNumber, link_id: LinkId, *, by: Principal) -> None:
        """Delete a link.

        Raises:
            ApiError: 404 or 403 for the shipment, 404 for the link.
        """
        await require_shipment(self._shipments, tracking_number, scope_of(by))
        if not await self._store.remove(tracking_number, link_id):
            raise ApiError(ErrorCode.LINK_NOT_FOUND, "the shipment has no such link")

    async def _end_of(self, tracking_number: TrackingNumber, by: Principal) -> datetime | None:
        await require_shipment(self._shipments, tracking_number, scope_of(by))
        shipment = await self._public.find(tracking_number)
        return None if shipment is None else shipment.ended_at

    async def _noted_end(self, tracking_number: TrackingNumber, ended_at: datetime | None) -> datetime | None:
        end = expires_at(ended_at)
        await self._store.note_end(tracking_number, end)
        return end


LINKS: Final = web.AppKey("links", Links)
