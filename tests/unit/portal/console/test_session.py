"""The console's session: login, logout, roles, and the way back to a page."""

import pytest
from yarl import URL

from domain.access.permissions import Principal
from httpkit.middleware.auth import TokenIssuer
from portal.console.frame import local_path
from portal.console.session import COOKIE
from tests.unit.portal.console.conftest import PASSWORD, Console
from tests.unit.query_api.conftest import ADMIN, AUTH, CLIENT, DRIVER

PAGE = "/console/partitions"


async def test_a_page_without_session_leads_to_the_login_and_back(console: Console) -> None:
    response = await console.get(f"{PAGE}?sort=lag&lang=es")
    assert response.status == 303
    assert (
        response.headers["Location"] == "/console/login?next=%2Fconsole%2Fpartitions%3Fsort%3Dlag%26lang%3Des"
    )
    login = await console.page(response.headers["Location"])
    assert 'name="next" value="/console/partitions?sort=lag&amp;lang=es"' in login
    form = {"username": ADMIN.subject, "password": PASSWORD, "next": f"{PAGE}?sort=lag"}
    response = await console.post("/console/login", form)
    assert (response.status, response.headers["Location"]) == (303, f"{PAGE}?sort=lag")
    assert ADMIN.subject in await console.page(PAGE)


async def test_the_cookie_is_for_the_console_alone_and_for_no_script(console: Console) -> None:
    response = await console.log_in()
    cookie = response.cookies[COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/console", "Strict", True)
    assert not cookie["secure"]
    assert 86_000 < int(cookie["max-age"]) <= 86_400
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("username", "password"), [("admin_user", "hunter2"), ("nobody", PASSWORD), ("", "")]
)
async def test_wrong_credentials_show_the_form_again(console: Console, username: str, password: str) -> None:
    response = await console.post("/console/login", {"username": username, "password": password})
    page = await response.text()
    assert response.status == 401
    assert "User name or password is wrong." in page
    assert COOKIE not in response.cookies
    assert not password or password not in page


async def test_a_lockout_says_how_long_to_wait(console: Console) -> None:
    for _ in range(5):
        await console.log_in(password="wrong")  # noqa: S106
    response = await console.log_in(password="wrong")  # noqa: S106
    assert response.status == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert "Too many attempts." in await response.text()


async def test_those_who_report_events_are_refused_and_their_token_is_revoked(
    console: Console, api_world: object
) -> None:
    response = await console.log_in(DRIVER)
    assert response.status == 403
    assert "has no pages" in await response.text()
    assert COOKIE not in response.cookies
    assert await api_world.revocations.since(None)  # type: ignore[attr-defined]


async def test_logout_revokes_the_token_and_takes_the_cookie_away(operator: Console) -> None:
    kept = operator.client.session.cookie_jar.filter_cookies(URL(operator.origin) / "console")[COOKIE].value
    response = await operator.post("/console/logout")
    assert (response.status, response.headers["Location"]) == (303, "/console/login?notice=logged_out")
    assert response.cookies[COOKIE]["max-age"] == "0"
    operator.client.session.cookie_jar.clear()
    response = await operator.get(PAGE, headers={"Cookie": f"{COOKIE}={kept}"})
    assert (response.status, response.headers["Location"][:14]) == (303, "/console/login")


async def test_no_log_line_and_no_page_has_the_token_or_the_password(
    operator: Console, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = operator.client.session.cookie_jar.filter_cookies(URL(operator.origin) / "console")[COOKIE].value
    page = await operator.page(PAGE)
    await operator.post("/console/login", {"username": ADMIN.subject, "password": "another secret"})
    await operator.page("/console/partitions/99", status=404)
    logged = "".join(capfd.readouterr())
    assert "/console/login" in logged
    assert kept not in page + logged
    assert "another secret" not in logged
    assert PASSWORD not in logged


async def test_a_forged_token_opens_nothing(console: Console) -> None:
    forger = AUTH.model_copy(update={"jwt_secret": AUTH.jwt_secret.__class__("another secret" * 4)})
    forged = TokenIssuer(forger).issue(ADMIN)
    response = await console.get(PAGE, headers={"Cookie": f"{COOKIE}={forged}"})
    assert (response.status, response.headers["Location"][:14]) == (303, "/console/login")
    for text in ("", "x", "a.b.c", "é", "x" * 5_000):
        response = await console.get(PAGE, headers={"Cookie": f"{COOKIE}={text}"})
        assert response.status == 303


@pytest.mark.parametrize("who", [CLIENT])
async def test_clients_see_only_what_their_role_has(console: Console, who: Principal) -> None:
    await console.log_in(who)
    response = await console.get("/console")
    assert (response.status, response.headers["Location"]) == (303, "/console/shipments")
    page = await console.page(PAGE, status=403)
    assert "Not allowed" in page
    assert 'href="/console/shipments"' in page
    assert 'href="/console/partitions"' not in page


async def test_a_write_needs_our_own_origin(operator: Console) -> None:
    for origin in ("https://evil.example", "null", operator.origin + ".evil.example"):
        response = await operator.post("/console/logout", headers={"Origin": origin})
        assert response.status == 403
    assert (await operator.get(PAGE)).status == 200


async def test_an_act_keeps_the_language_of_its_page(console: Console) -> None:
    referer = {"Referer": f"{console.origin}/console/login?lang=pt"}
    response = await console.post("/console/login", {"username": "x", "password": "y"}, headers=referer)
    assert response.headers["Content-Language"] == "pt-BR"
    form = {"username": ADMIN.subject, "password": PASSWORD}
    response = await console.post("/console/login", form, headers=referer)
    assert response.headers["Location"] == "/console?lang=pt"


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console\\..\\evil",
        "/consolevil",
        "javascript:alert(1)",
        "/console/\r\nSet-Cookie: a=b",
        "/console/é",
        "/track/99M-1",
        "",
        "/console/" + "x" * 3_000,
    ],
)
def test_a_login_leads_to_pages_of_the_console_only(text: str) -> None:
    assert local_path(text) == "/console"


@pytest.mark.parametrize(
    "text", ["/console", "/console?lang=es", "/console/dead-letters?state=open&id=dl_1_2"]
)
def test_a_login_leads_back_to_a_page(text: str) -> None:
    assert local_path(text) == text


async def test_an_api_that_does_not_respond_is_an_error_page_with_the_request_id(
    operator: Console, api_world: object
) -> None:
    async def broken() -> None:
        raise RuntimeError("a secret of the server")

    api_world.partitions.partitions = broken  # type: ignore[attr-defined]
    response = await operator.get(PAGE, headers={"X-Request-Id": "my-request"})
    page = await response.text()
    assert response.status == 503
    assert "my-request" in page
    assert "a secret" not in page
