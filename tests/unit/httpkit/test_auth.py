"""Authentication: valid tokens, and the permissions of routes."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from pydantic import SecretStr

from domain.access.permissions import Permission, Principal, Role
from domain.ports.core import Revocation
from httpkit.middleware.auth import InvalidToken, TokenIssuer, TokenVerifier, principal
from httpkit.middleware.revoked_tokens import Revocations, user_name
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import AUTH, Serve

ADMIN = Principal("admin_user", Role.ADMIN)
CLIENT = Principal("client_user_001", Role.CLIENT, "client_001")
DRIVER = Principal("driver_user_001", Role.PRODUCER)
KEY = AUTH.jwt_secret.get_secret_value()
OTHER_KEY = "b7c3a19e5d204f68" * 2


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "sub": "admin_user",
        "role": "admin",
        "client_id": None,
        "iss": "waybill",
        "aud": "waybill",
        "iat": now,
        "exp": now + 60,
        "jti": "1",
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def signed(
    payload: dict[str, Any], *, key: str = KEY, kid: str | None = "now", algorithm: str = "HS256"
) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(payload, key, algorithm, headers=headers)


@pytest.mark.parametrize("who", [ADMIN, CLIENT, DRIVER])
def test_an_issued_token_speaks_for_its_principal(issuer: TokenIssuer, who: Principal) -> None:
    assert TokenVerifier(AUTH).verify(issuer.issue(who)) == who


def test_tokens_of_one_principal_differ(issuer: TokenIssuer) -> None:
    assert issuer.issue(ADMIN) != issuer.issue(ADMIN)


def test_a_token_of_a_second_with_two_changes_outlives_neither() -> None:
    """The user is changed, logs in, and is changed again, all within one second."""
    changed = datetime(2026, 3, 1, 12, 0, 0, 100_000, tzinfo=UTC)
    token = TokenIssuer(AUTH, clock=changed.timestamp).issue(CLIENT, after=changed)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert changed.timestamp() < claims["iat_ms"] / 1000 < changed.timestamp() + 0.01


@pytest.mark.parametrize("into_second_ms", [0, 1, 400, 999])
def test_a_cut_off_is_exact_within_a_second(into_second_ms: int) -> None:
    """Two tokens of one second: the one issued after the revocation is valid, the one issued at it is not."""
    cut = datetime.fromtimestamp(int(time.time()) - 60, UTC) + timedelta(milliseconds=into_second_ms)
    issuer, verifier = TokenIssuer(AUTH, clock=cut.timestamp), TokenVerifier(AUTH, known := Revocations())
    before, later = issuer.issue(CLIENT), issuer.issue(CLIENT, after=cut)
    end = cut + timedelta(days=1)
    known.add([Revocation(name=user_name(CLIENT.subject), issued_until=cut, recorded_at=cut, expires_at=end)])
    assert verifier.verify(later) == CLIENT
    with pytest.raises(InvalidToken, match="revoked"):
        verifier.verify(before)


def test_a_token_names_its_key_and_its_end() -> None:
    token = TokenIssuer(AUTH, clock=lambda: 1_000_000.5).issue(CLIENT)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "now", "typ": "JWT"}
    assert (claims["iat"], claims["exp"], claims["iat_ms"]) == (1_000_000, 1_086_400, 1_000_000_500)
    assert all(type(claims[name]) is int for name in ("iat", "exp", "iat_ms"))
    assert (claims["sub"], claims["role"], claims["client_id"]) == ("client_user_001", "client", "client_001")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b.c", id="garbage"),
        pytest.param("é.ü.ß", id="not ascii"),
        pytest.param("x" * 5000, id="far too long"),
        pytest.param(signed(claims(), key="", algorithm="none"), id="alg none"),
        pytest.param(signed(claims(), algorithm="HS512", key=KEY * 2), id="another algorithm"),
        pytest.param(signed(claims(), key=OTHER_KEY), id="another key"),
        pytest.param(signed(claims(), kid="unknown"), id="unknown kid"),
        pytest.param(signed(claims(), kid=None), id="no kid"),
        pytest.param(signed(claims())[:-4] + "AAAA", id="tampered"),
        pytest.param(signed(claims(aud="billing")), id="another audience"),
        pytest.param(signed(claims(iss="elsewhere")), id="another issuer"),
        pytest.param(signed(claims(exp=int(time.time()) - 60)), id="expired"),
        pytest.param(signed(claims(iat=int(time.time()) + 600)), id="of the future"),
        pytest.param(signed(claims(iat_ms=int(time.time() * 1000) - 5_000)), id="iat_ms of another second"),
        pytest.param(signed(claims(iat_ms=time.time() * 1000)), id="iat_ms is no integer"),
        pytest.param(signed(claims(nbf=int(time.time()) + 600)), id="not yet"),
        pytest.param(signed(claims(sub="")), id="no subject"),
        pytest.param(signed(claims(role="root")), id="no such role"),
        pytest.param(signed(claims(role=["admin"])), id="role is a list"),
        pytest.param(signed(claims(client_id=7)), id="client_id is a number"),
        pytest.param(signed(claims(sub="\ud800")), id="sub is a lone surrogate"),
        pytest.param(signed(claims(role="producer", sources=["\udce9"])), id="sources are lone surrogates"),
        *(
            pytest.param(signed(claims(exp=exp)), id=f"ends at {str(exp)[:12]}")
            for exp in ("99999999999", True, float("inf"), float("nan"), 10**12, 10**400, [1])
        ),
        pytest.param(signed(claims(iat=str(int(time.time())))), id="issued at a text"),
        pytest.param(signed(claims(iat=float("-inf"))), id="issued before all time"),
        pytest.param(signed(claims(role="client", client_id=None)), id="a client of nobody"),
        *(
            pytest.param(signed(claims(**{name: ...})), id=f"without {name}")
            for name in ("sub", "role", "iss", "aud", "iat", "exp", "jti")
        ),
    ],
)
def test_invalid_token_is_rejected(token: str) -> None:
    with pytest.raises(InvalidToken):
        TokenVerifier(AUTH).verify(token)


def test_a_retired_key_verifies_and_does_not_sign() -> None:
    rotated = AUTH.model_copy(
        update={
            "jwt_kid": "next",
            "jwt_secret": SecretStr(OTHER_KEY),
            "jwt_retired_secrets": {"now": SecretStr(KEY)},
        }
    )
    old = TokenIssuer(AUTH).issue(ADMIN)
    assert TokenVerifier(rotated).verify(old) == ADMIN
    assert jwt.get_unverified_header(TokenIssuer(rotated).issue(ADMIN))["kid"] == "next"


class Moment:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def test_a_remembered_token_is_not_verified_again(
    issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(AUTH)
    token = issuer.issue(ADMIN)
    verifier.verify(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert verifier.verify(token) == ADMIN


def test_a_remembered_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = Moment()
    verifier = TokenVerifier(AUTH, clock=moment)
    token = signed(claims())
    verifier.verify(token)
    moment.now += 61
    monkeypatch.setattr(jwt, "decode", None)
    with pytest.raises(TypeError):  # it has to be verified again
        verifier.verify(token)


def test_token_cache_is_bounded(issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = TokenVerifier(AUTH, remembered=2)
    first, second, third = (issuer.issue(ADMIN) for _ in range(3))
    verifier.verify(first)
    verifier.verify(second)
    verifier.verify(first)
    verifier.verify(third)
    monkeypatch.setattr(jwt, "decode", None)
    assert verifier.verify(first) == verifier.verify(third) == ADMIN
    with pytest.raises(TypeError):
        verifier.verify(second)  # the one that was not used for longest has to be verified again


async def whoami(request: web.Request) -> web.Response:
    return json_response({"subject": principal(request).subject})


async def hello(_request: web.Request) -> web.Response:
    return json_response({})


GUARDED = Route("GET", "/users", whoami, Permission.USER_READ)


async def test_route_sees_its_caller(serve: Serve, issuer: TokenIssuer) -> None:
    client = await serve(GUARDED)
    for scheme in ("Bearer", "bearer"):
        response = await client.get("/users", headers={"Authorization": f"{scheme} {issuer.issue(ADMIN)}"})
        assert await response.json() == {"subject": "admin_user"}


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}])
async def test_request_without_token_is_401(serve: Serve, header: dict[str, str]) -> None:
    client = await serve(GUARDED)
    response = await client.get("/users", headers=header)
    assert (response.status, (await response.json())["error"]) == (401, "AUTHENTICATION_REQUIRED")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_reason_of_a_rejected_token_is_not_returned(serve: Serve) -> None:
    client = await serve(GUARDED)
    expired, forged = signed(claims(exp=1)), signed(claims(), key=OTHER_KEY)
    bodies = []
    for token in (expired, forged):
        response = await client.get("/users", headers={"Authorization": f"Bearer {token}"})
        body = await response.json()
        assert (response.status, body["error"]) == (401, "INVALID_TOKEN")
        bodies.append(body["message"])
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
async def test_role_without_permission_is_403(serve: Serve, issuer: TokenIssuer, who: Principal) -> None:
    client = await serve(GUARDED)
    response = await client.get("/users", headers={"Authorization": f"Bearer {issuer.issue(who)}"})
    assert (response.status, (await response.json())["error"]) == (403, "FORBIDDEN")


async def test_public_route_needs_no_token(serve: Serve) -> None:
    client = await serve(Route("GET", "/hello", hello, None))
    assert (await client.get("/hello", headers={"Authorization": "Bearer rubbish"})).status == 200
