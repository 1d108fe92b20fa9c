"""What callers hold of the last release, and every release must accept: a token, a key, a cursor, a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from domain.shipments.event_identity import creation_event_id
from domain.shipments.tracking_number import TrackingNumber
from tests.e2e.traffic import shipment_body
from tests.faults.ledger import Ended, Ledger
from tests.support.api import Api, Json

CLIENT_ID: Final = "client_002"
_SHIPMENTS: Final = 5
_LIST: Final = f"/shipments?client_id={CLIENT_ID}&limit=2"


@dataclass(frozen=True, slots=True)
class Issued:
    """What was issued, and what its holder has got for it.

    Attributes:
        admin: caller with a token.
        numbers: the shipments of a client, newest first.
    """

    admin: Api
    api_key: str
    cursor: str
    link: str
    numbers: Sequence[str]

    @classmethod
    async def by(cls, admin: Api, ledger: Ledger) -> "Issued":
        """Create everything; its shipments are recorded in the ledger."""
        for _ in range(_SHIPMENTS):
            number = TrackingNumber(await admin.created(shipment_body(CLIENT_ID)))
            ledger.record("issued", Ended.OK, [creation_event_id(number)], response="201")
        key = (await admin.post("/auth/users/driver_user_001/api-keys", {})).body["api_key"]
        numbers = _numbers((await admin.get(f"/shipments?client_id={CLIENT_ID}")).body)
        first = (await admin.get(_LIST)).body
        assert _numbers(first) == numbers[:2]
        link = (await admin.post(f"/shipments/{numbers[0]}/links", {})).body["url"]
        return cls(admin, key, first["pagination"]["next_cursor"], link, numbers)

    async def violations(self) -> list[str]:
        """Use all of it; return what was not accepted, or means something else now."""
        found = []
        page = await self.admin.get(f"{_LIST}&cursor={self.cursor}")
        if page.status != 200 or _numbers(page.body) != self.numbers[2:4]:
            found.append(f"the cursor: {page.status} {page.text[:200]}")
        token = await self.admin.post("/auth/token", {"api_key": self.api_key})
        if token.status != 200:
            found.append(f"the API key: {token.status} {token.text[:200]}")
        found += await self._wrong_page()
        return found

    async def _wrong_page(self) -> list[str]:
        """Open the page of the link, and exchange its token for a session."""
        address = urlsplit(self.link)
        page = await self.admin.get(address.path)
        origin = {"Origin": f"{address.scheme}://{address.netloc}"}
        session = await self.admin.post("/track/session", {"token": address.fragment}, headers=origin)
        if page.status != 200 or session.status >= 300:
            return [f"the link: its page {page.status}, its session {session.status} {session.text[:200]}"]
        return []


def _numbers(page: Json) -> list[str]:
    return [each["tracking_number"] for each in page["data"]]
