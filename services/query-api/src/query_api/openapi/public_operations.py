"""Descriptions of the public view of shipments, and of links to them."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from httpkit.openapi.identifiers import IN_PATH, NUMBER
from httpkit.openapi.operations import Key, Link, Operation, Parameter, ResponseSpec, json_content
from httpkit.response.error_codes import ErrorCode
from query_api.openapi.public_models import LinkIdText, LinkList, NewLink, PublicShipment

_TAG: Final = "tracking"
_LINK_ID: Final = "ln_mzxw6ytboi2gk3tumvzq"
_LINK: Final = Parameter("link_id", "path", "Id of the link.", TypeAdapter(LinkIdText), _LINK_ID)
_UNCACHED: Final = ("Cache-Control",)
_SHIPMENT: Final[dict[str, Any]] = {
    "tracking_number": NUMBER,
    "current_status": "in_transit",
    "steps": [
        {"status": "created", "timestamp": "2026-11-02T14:02:11.402Z"},
        {"status": "picked_up", "timestamp": "2026-11-02T14:15:00.000Z"},
        {"status": "in_warehouse", "timestamp": "2026-11-02T16:40:00.000Z"},
        {"status": "in_transit", "timestamp": "2026-11-02T18:05:00.000Z"},
        {"status": "in_transit", "checkpoint": "arrived_at_hub", "timestamp": "2026-11-03T02:30:00.000Z"},
    ],
    "updated_at": "2026-11-03T02:30:01.118Z",
}
_NEW: Final[dict[str, Any]] = {
    "id": _LINK_ID,
    "url": f"https://rastreo.example.mx/track/{NUMBER}#q3mX0dTn0h5i2b7JwVd1mJc9yR4kT8uE6sL0aZxPfNo",
    "expires_at": None,
}
_LISTED: Final[dict[str, Any]] = {
    "id": _LINK_ID,
    "created_by": "client_user_001",
    "created_at": "2026-11-02T14:20:00.000Z",
    "expires_at": None,
}

OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/public/shipments/{tracking_number}"): Operation(
        name="getPublicShipment",
        tag=_TAG,
        summary="Get what anybody with the number may see",
        description=(
            "The statuses and the known checkpoints of a shipment with their times, oldest first, and "
            "nothing else. An unknown number, one with a wrong check character, and text that is no number "
            "have the same 404. Requests are counted per address; one with the response 404 counts as ten."
        ),
        parameters=(IN_PATH,),
        responses={
            200: ResponseSpec(
                "The public view.",
                json_content(TypeAdapter(PublicShipment), on_its_way=_SHIPMENT),
                headers=_UNCACHED,
            )
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND, ErrorCode.VALIDATION_ERROR),
    ),
    ("GET", "/shipments/{tracking_number}/links"): Operation(
        name="listLinks",
        tag=_TAG,
        summary="List the links of a shipment",
        description="Oldest first, without their tokens; none once they have ended.",
        parameters=(IN_PATH,),
        responses={
            200: ResponseSpec(
                "The links.",
                json_content(TypeAdapter(LinkList), one={"data": [_LISTED]}),
                headers=_UNCACHED,
            )
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND, ErrorCode.VALIDATION_ERROR),
    ),
    ("POST", "/shipments/{tracking_number}/links"): Operation(
        name="createLink",
        tag=_TAG,
        summary="Create a link to a shipment's page",
        description=(
            "With the link, the tracking page also shows the expected delivery and rough places; never "
            "addresses, notes or who signed. The link's token is in the fragment of `url`, which browsers "
            "send to no server, and is returned in this response only. A link ends 30 days after its "
            "shipment; `expires_at` is null until that is delivered or cancelled. A shipment has at most "
            "five."
        ),
        parameters=(IN_PATH,),
        responses={
            201: ResponseSpec(
                "The link.",
                json_content(TypeAdapter(NewLink), link=_NEW),
                headers=_UNCACHED,
                links={
                    "remove": Link(
                        "deleteLink",
                        {
                            "tracking_number": "$request.path.tracking_number",
                            "link_id": "$response.body#/id",
                        },
                    )
                },
            )
        },
        errors=(ErrorCode.SHIPMENT_NOT_FOUND, ErrorCode.LINKS_ENDED, ErrorCode.TOO_MANY_LINKS),
    ),
    ("DELETE", "/shipments/{tracking_number}/links/{link_id}"): Operation(
        name="deleteLink",
        tag=_TAG,
        summary="Delete a link",
        description="Pages that were opened with it show no more than the public view from then on.",
        parameters=(IN_PATH, _LINK),
        responses={204: ResponseSpec("The link is deleted.", headers=_UNCACHED)},
        errors=(ErrorCode.LINK_NOT_FOUND, ErrorCode.SHIPMENT_NOT_FOUND),
    ),
}
