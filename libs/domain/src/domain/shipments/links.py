"""Links: tokens that show a shipment's page with places and the expected delivery to anybody who has one.

Only a digest of a token is stored. A link ends a while after its shipment. When that is, the shipment alone
decides, so a link is valid again if the delivery that ended it is retracted.
"""

import re
from base64 import b32encode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NewType

from domain.shipments.tracking_number import TrackingNumber
from domain.values import value

LinkId = NewType("LinkId", str)

MOST_LINKS: Final = 5
"""Maximum number of links of one shipment."""
KEPT_FOR: Final = timedelta(days=30)
"""Time from the end of a shipment until its links end."""
ENTROPY_BYTES: Final = 32
"""Random bytes of a token."""
ID_PATTERN: Final = "ln_[a-z2-7]{20}"
TOKEN_PATTERN: Final = "[A-Za-z0-9_-]{43}"  # noqa: S105  # a form, not a secret

_ID_LENGTH: Final = 20
_TOKEN: Final = re.compile(TOKEN_PATTERN)


@value(kw_only=True)
class ShipmentLink:
    """A link as it is stored, without its token.

    Attributes:
        link_id: of the form `ID_PATTERN`.
        created_by: the user who made it.
    """

    link_id: LinkId
    tracking_number: TrackingNumber
    created_by: str
    created_at: datetime


def link_id_from(entropy: bytes) -> LinkId:
    """Make the id of a link out of 13 random bytes or more."""
    return LinkId(f"ln_{b32encode(entropy).decode().lower()[:_ID_LENGTH]}")


def link_token_from(entropy: bytes) -> str:
    """Make a token out of `ENTROPY_BYTES` random bytes: 43 characters that a URL takes as they are."""
    return urlsafe_b64encode(entropy).decode().rstrip("=")


def token_hash(token: str) -> bytes:
    """Return the digest under which a token is stored; any text has one."""
    return sha256(token.encode(errors="surrogatepass")).digest()


def is_token(text: str) -> bool:
    """Say whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def expires_at(ended_at: datetime | None) -> datetime | None:
    """Return when the links of a shipment end; None as long as the shipment has not ended."""
    return None if ended_at is None else ended_at + KEPT_FOR


def is_valid(ended_at: datetime | None, now: datetime) -> bool:
    """Say whether the links of a shipment that ended at `ended_at` are valid at `now`."""
    end = expires_at(ended_at)
    return end is None or now < end


def link_url(origin: str, tracking_number: TrackingNumber, token: str) -> str:
    """Return the address of a link; the token is in the fragment, which no browser sends to a server.

    Args:
        origin: scheme and host of the pages, without a slash at the end.
        tracking_number: of the shipment.
        token: of the link.
    """
    return f"{origin}/track/{tracking_number}#{token}"
