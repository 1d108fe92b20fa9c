"""Credentials, addresses and tokens."""

import threading
from typing import Any

import anyio
import pytest

from tests.support.ports import unused_port
from tests.support.scripted_server import ScriptedServer, answer
from tests.unit.clients.core.conftest import Use
from waybill import AsyncWaybill, UnexpectedResponse, Waybill

NUMBER = "99M-GMPWC6W7SP2G"
QUEUED = answer(202, {"event_id": "evt_1", "status": "queued", "tracking_number": NUMBER, "message": "m"})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.com", "must begin with http"),
        ("example.com", "must begin with http"),
        ("http://", "name a host"),
        ("http://ana:secret@example.com", "credentials"),
        ("https://example.com/?a=b", "a query or a fragment"),
        ("http://[::1", "no address"),
    ],
)
def test_another_address_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Waybill(url)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(ValueError, match="credentials") as refused:
        Waybill("http://ana:secret@example.com")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "ana"}, "one of them is missing"),
        ({"password": "secret"}, "one of them is missing"),
        ({"username": "ana", "password": "p", "api_key": "k"}, "only one of them"),
        ({"token": "t", "api_key": "k"}, "only one of them"),
    ],
)
def test_credentials_fit_together(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Waybill("http://localhost", **given)  # type: ignore[arg-type]


def test_a_path_of_the_address_stays(use: Use, server: ScriptedServer) -> None:
    server.url += "/tracking/api/"
    server.play(QUEUED)
    use(
        lambda client: client.events.report(NUMBER, "picked_up", source="s"),
        token="t",  # noqa: S106
        username=None,
        password=None,
    )
    assert server.received[0].path == "/tracking/api/events"


def test_a_redirect_is_not_followed(use: Use, server: ScriptedServer) -> None:
    server.play(answer(302, location="http://127.0.0.1:1/elsewhere"))
    with pytest.raises(UnexpectedResponse, match=r"redirects to http://127\.0\.0\.1:1/elsewhere"):
        use(lambda client: client.events.report(NUMBER, "picked_up", source="s"))
    assert len(server.received) == 1


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_this_machine_is_reached_past_proxies(
    use: Use, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    server.play(QUEUED)
    assert use(lambda client: client.events.report(NUMBER, "picked_up", source="s")).status == "queued"


@pytest.mark.parametrize(
    ("credentials", "path", "body"),
    [
        ({}, "/auth/login", {"username": "ana", "password": "secret"}),
        ({"username": None, "password": None, "api_key": "k"}, "/auth/token", {"api_key": "k"}),
    ],
)
def test_credentials_are_exchanged_at_the_first_call(
    use: Use, server: ScriptedServer, credentials: dict[str, Any], path: str, body: dict[str, str]
) -> None:
    server.play(QUEUED)
    use(lambda client: client.url, **credentials)
    assert server.logins == []
    use(lambda client: client.events.report(NUMBER, "picked_up", source="s"), **credentials)
    assert [(each.path, each.json) for each in server.logins] == [(path, body)]


def test_threads_share_one_login(server: ScriptedServer) -> None:
    server.play(QUEUED)
    with Waybill(server.url, username="ana", password="p") as client:  # noqa: S106
        threads = [
            threading.Thread(target=client.events.report, args=(NUMBER, "picked_up"), kwargs={"source": "s"})
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(server.logins), len(server.received)) == (1, 8)


async def test_tasks_share_one_login(server: ScriptedServer) -> None:
    server.play(QUEUED)

    async def report() -> None:
        await client.events.report(NUMBER, "picked_up", source="s")

    async with (
        AsyncWaybill(server.url, username="ana", password="p") as client,  # noqa: S106
        anyio.create_task_group() as tasks,
    ):
        for _ in range(8):
            tasks.start_soon(report)
    assert (len(server.logins), len(server.received)) == (1, 8)


def test_a_changed_password_is_used_from_then_on(server: ScriptedServer) -> None:
    server.play(answer(204))
    with Waybill(server.url, username="ana", password="old") as client:  # noqa: S106
        client.auth.change_password("old", "new")
        client.auth.login()
    assert [each.json["password"] for each in server.logins] == ["old", "new"]


def test_a_logout_revokes_the_token_in_use(server: ScriptedServer) -> None:
    server.play(answer(204))
    with Waybill(server.url, username="ana", password="p") as client:  # noqa: S106
        client.auth.logout()
        assert server.received == []
        client.auth.login()
        client.auth.logout()
        client.auth.logout()
    assert [(each.path, each.token) for each in server.received] == [("/auth/logout", "Bearer t1")]


def test_nothing_secret_is_shown() -> None:
    client = Waybill("http://localhost", username="ana", password="s3cret")  # noqa: S106
    assert "s3cret" not in repr(client._connection.credentials)  # noqa: SLF001
