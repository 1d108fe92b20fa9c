"""Contents of the stack's logs: no token, no password and no secret, wherever they are sent."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from storage.redis.login_lockout import name_digest
from tests.e2e.tokens import signed
from tests.e2e.traffic import shipment_body
from tests.support.api import PASSWORD, Api
from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack


async def test_no_log_holds_a_token_a_password_or_the_secret(
    own_stack: RunningStack, nobody: Api, tokens: Mapping[str, str]
) -> None:
    mistyped, misplaced, forged = (f"sesame-{uuid4().hex}" for _ in range(3))
    expired = signed(own_stack.jwt_secret, exp=1)
    fresh = await nobody.log_in("client_user_002")
    marker = f"user-{uuid4().hex}"
    await nobody.post("/auth/login", {"username": marker, "password": mistyped})
    await nobody.post("/auth/login", {"username": marker, "passwort": misplaced, "password": ["list"]})
    for token in (forged, expired):
        assert (await nobody.by(token).get("/shipments")).status == 401
        assert (await nobody.by(token).create(shipment_body())).status == 401

    created, rotated = await _webhook_secrets(nobody.by(tokens["client_user_001"]))
    secrets = [
        *tokens.values(),
        await _link_token(nobody.by(tokens["client_user_001"]), own_stack.gateway_url),
        created,
        rotated,
        fresh,
        forged,
        expired,
        mistyped,
        misplaced,
        PASSWORD,
        own_stack.jwt_secret,
    ]
    logs = _logs(own_stack.home.logs)
    assert {
        "ingest-api-1.log",
        "processor-1.log",
        "query-api-1.log",
        "webhooks-1.log",
        "portal-1.log",
        "gateway.log",
    } <= logs.keys()
    assert name_digest(marker) in logs["query-api-1.log"]  # what is looked for would be there
    secrets.append(marker)  # a password, perhaps, that was typed into the wrong field
    for name, text in logs.items():
        assert not [secret[:12] for secret in secrets if secret in text], name


async def _webhook_secrets(client: Api) -> tuple[str, str]:
    """Create a webhook, rotate its secret, have a message signed, and return both secrets."""
    created = (await client.post("/webhooks", {"url": "https://receiver.invalid/waybill"})).body
    path = f"/webhooks/{created['id']}"
    rotated = (await client.post(f"{path}/secret/rotate", {})).body["secret"]
    assert (await client.post(f"{path}/test", None)).status == 200
    assert (await client.ask("DELETE", path)).status == 204
    return created["secret"], rotated


def _logs(directory: Path) -> dict[str, str]:
    """Read all logs; not the screen, where the banner shows the public password of the seeded users."""
    return {path.name: path.read_text(errors="replace") for path in directory.glob("*.log*")}


async def _link_token(client: Api, origin: str) -> str:
    """Create a link, use its token as a page does and as it must not be used, and return it."""
    number = await client.created(shipment_body(None))
    token = (await client.post(f"/shipments/{number}/links", None)).body["url"].partition("#")[2]
    own = {"Origin": origin}
    used = await client.post("/track/session", {"token": token}, headers=own)
    assert used.status == 204
    misplaced = await client.post("/track/session", {"tokem": token, "token": [token]}, headers=own)
    assert misplaced.status == 400
    for cookie in (f"waybill_link={token}", f"waybill_link={token}; waybill_session={token}"):
        assert (await client.get(f"/track/{number}", headers={"Cookie": cookie})).status == 200
        assert (await client.get("/track/nothing", headers={"Cookie": cookie})).status == 404
    return str(token)
