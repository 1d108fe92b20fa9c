"""Links: a token is exchanged for a cookie that only the page of its shipment gets."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.shipments.public_view import PublicShipment
from domain.shipments.tracking_number import canonical
from httpkit.request.bodies import read_json
from httpkit.request.origins import is_secure
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from portal.adapters import ADAPTERS

COOKIE: Final = "waybill_link"
MAX_AGE_S: Final = 30 * 86_400
LONGEST_BODY_BYTES: Final = 1_024


class LinkIn(BaseModel):
    """The token of a link."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Annotated[str, Field(max_length=200)]


LINK: Final = TypeAdapter(LinkIn)


async def post_session(request: web.Request) -> web.Response:
    """Exchange the token of a link for a cookie; 404 if it is unknown or has ended."""
    sent = await read_json(request, LINK, limit=LONGEST_BODY_BYTES)
    adapters = request.app[ADAPTERS]
    shipment = await adapters.links.find_opened(sent.token, adapters.clock.now())
    if shipment is None:
        raise ApiError(ErrorCode.NOT_FOUND, "this link is not valid, or not any more")
    response = web.Response(status=web.HTTPNoContent.status_code)
    response.set_cookie(
        COOKIE,
        sent.token,
        httponly=True,
        max_age=MAX_AGE_S,
        path=f"/track/{shipment.tracking_number}",
        samesite="Strict",
        secure=is_secure(request),
    )
    return response


async def shipment_by_link(request: web.Request, typed: str) -> PublicShipment | None:
    """Return the shipment of a page with all that a link shows; None without a valid one.

    Args:
        request: may have the cookie.
        typed: the number in the address.
    """
    token = request.cookies.get(COOKIE)
    if token is None:
        return None
    adapters = request.app[ADAPTERS]
    shipment = await adapters.links.find_opened(token, adapters.clock.now())
    return shipment if shipment is not None and shipment.tracking_number == canonical(typed) else None
