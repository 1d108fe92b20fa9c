"""Tokens: those rejected by both services, and those that a login returns."""

import base64
import json
import time
from collections.abc import Callable

import jwt
import pytest

from tests.e2e.checks import assert_error
from tests.e2e.tokens import HOUR_S, signed
from tests.e2e.traffic import event_body
from tests.support.api import Api
from tests.support.builders import NUMBER
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

OTHER_SECRET = "another-secret-of-more-than-thirty-two-bytes"  # noqa: S105  # nobody's

FORGED: dict[str, Callable[[str], str]] = {
    "not a token": lambda _: "not.a.token",
    "nothing but dots": lambda _: "..",
    "too long": lambda secret: signed(secret, note="x" * 5000),
    "expired": lambda secret: signed(secret, exp=int(time.time()) - HOUR_S),
    "not expiring": lambda secret: signed(secret, exp=None),
    "not valid yet": lambda secret: signed(secret, nbf=int(time.time()) + HOUR_S),
    "issued in the future": lambda secret: signed(secret, iat=int(time.time()) + HOUR_S),
    "for another audience": lambda secret: signed(secret, aud="somebody-else"),
    "from another issuer": lambda secret: signed(secret, iss="somebody-else"),
    "without jti": lambda secret: signed(secret, jti=None),
    "signed with another secret": lambda _: signed(OTHER_SECRET),
    "signed with an unknown key": lambda secret: signed(secret, kid="2"),
    "signed by nobody": lambda _: signed(None, algorithm="none"),
    "signed by another algorithm": lambda secret: signed(secret, algorithm="HS512"),
    "of an unknown role": lambda secret: signed(secret, role="root"),
    "of a client of nobody": lambda secret: signed(secret, role="client"),
    "of nobody": lambda secret: signed(secret, sub=""),
    "changed after it was signed": lambda secret: _promoted(signed(secret, role="producer")),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
async def test_an_invalid_token_is_rejected_by_both_services(
    nobody: Api, stack: StackAddresses, forge: Callable[[str], str]
) -> None:
    forger = nobody.by(forge(stack.jwt_secret))

    for response in (
        await forger.get("/shipments"),
        await forger.post("/events", event_body(NUMBER, "picked_up")),
    ):
        body = assert_error(response, 401, "INVALID_TOKEN")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert body["message"] == "the token is not valid, or not any more"


@pytest.mark.parametrize("header", [None, "", "Basic YWRtaW5fdXNlcjpwYXNzd29yZDEyMw==", "Bearer", "Bearer "])
async def test_a_request_without_a_token_is_told_the_scheme(nobody: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    for response in (
        await nobody.get("/shipments", headers=headers),
        await nobody.post("/shipments", {}, headers=headers),
    ):
        assert_error(response, 401, "AUTHENTICATION_REQUIRED")
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_login_gives_a_token_for_a_day(nobody: Api, stack: StackAddresses) -> None:
    credentials = {"username": "client_user_001", "password": "password123"}
    response = await nobody.post("/auth/login", credentials)

    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.body == {"token": response.body["token"], "expires_in": 86_400, "token_type": "Bearer"}
    claims = jwt.decode(response.body["token"], stack.jwt_secret, ["HS256"], audience="waybill")
    assert (claims["sub"], claims["role"], claims["client_id"]) == ("client_user_001", "client", "client_001")
    assert claims["exp"] - claims["iat"] == 86_400
    assert (await nobody.by(response.body["token"]).get("/shipments")).status == 200


async def test_a_failed_login_does_not_tell_whether_the_user_exists(nobody: Api) -> None:
    attempts = [
        {"username": "admin_user", "password": "wrong"},
        {"username": "no_such_user", "password": "wrong"},
        {"username": "no_such_user", "password": "password123"},
        {"username": "admin_user", "password": "x" * 1000},
    ]
    responses = [await nobody.post("/auth/login", attempt) for attempt in attempts]

    bodies = [
        assert_error(response, 401, "INVALID_CREDENTIALS") | {"timestamp": ""} for response in responses
    ]
    assert all(body == bodies[0] for body in bodies)
    assert all(response.headers["WWW-Authenticate"] == "Bearer" for response in responses)


async def test_a_login_without_its_fields_names_them(nobody: Api) -> None:
    response = await nobody.post("/auth/login", {"user": "admin_user", "password": ""})

    pointers = [detail["pointer"] for detail in response.body["details"]]
    assert_error(response, 400, "VALIDATION_ERROR", *pointers)
    assert set(pointers) == {"/username", "/password", "/user"}


def _promoted(token: str) -> str:
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")
    return f"{head}.{forged}.{signature}"
