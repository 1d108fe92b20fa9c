"""Links to the tracking page of a shipment, which show more than its number does."""

from dataclasses import dataclass

from domain.shipments.links import MOST_LINKS
from portal.console.api import CallFailed, Json, LoggedOut, UserApi, path_to


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link; its address is not kept.

    Attributes:
        expires_at: None: it ends 30 days after the shipment has ended.
    """

    link_id: str
    created_by: str
    created_at: str
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class LinksView:
    """The links of a shipment.

    Attributes:
        new: address of the link that was just made; it is shown this once.
        can_be_made: there are fewer than there may be.
    """

    rows: tuple[LinkRow, ...]
    new: str | None
    can_be_made: bool


async def read_links(api: UserApi, number: str, new: str | None) -> LinksView | None:
    """Return the links of a shipment; None if they cannot be had, which the rest of the page survives."""
    try:
        found = (await api.get(path_to("shipments", number, "links")))["data"]
    except LoggedOut:
        raise
    except CallFailed:
        return None
    return LinksView(tuple(map(_row, found)), new, can_be_made=len(found) < MOST_LINKS)


async def make_link(api: UserApi, number: str) -> str:
    """Make a link and return its address."""
    return str((await api.post(path_to("shipments", number, "links")))["url"])


def _row(link: Json) -> LinkRow:
    return LinkRow(
        link_id=link["id"],
        created_by=link["created_by"],
        created_at=link["created_at"],
        expires_at=link.get("expires_at"),
    )
