"""Profiles: what is stored, for whom, and which credentials a command uses."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.clients.command.bodies import SHIPMENT
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import StandIn, page, refusal, standing_in
from waybill.cli.errors import Misused
from waybill.cli.profiles.credentials import Access, access_of, address
from waybill.cli.profiles.store import Profile, Profiles, ProfileStore

URL = "https://waybill.example"
KEYED = Profile("default", URL, api_key="key")
PROFILES = Profiles().with_profile(Profile("other", "http://localhost:8080", "luis", "t")).with_profile(KEYED)


def lines(monkeypatch: pytest.MonkeyPatch, *given: str) -> None:
    """Give lines on standard input, which is no terminal."""
    monkeypatch.setattr("sys.stdin", StringIO("".join(f"{line}\n" for line in given)))


@pytest.fixture
def store(config: Path) -> ProfileStore:
    return ProfileStore(config / "profiles.json")


def test_a_profile_is_read_as_it_was_saved(store: ProfileStore) -> None:
    ends = datetime(2026, 11, 3, 16, 50, tzinfo=UTC)
    store.save(Profile("one", URL, "ana", "t", ends))
    store.save(KEYED)
    assert store.load() == Profiles(
        "default", {"one": Profile("one", URL, "ana", "t", ends), "default": KEYED}
    )
    store.use("one")
    assert store.load().current == "one"
    store.remove("one")
    assert store.load() == Profiles(None, {"default": KEYED})


def test_only_the_owner_can_read_the_file_and_its_folder(store: ProfileStore) -> None:
    before = os.umask(0)
    try:
        store.save(KEYED)
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert sorted(each.name for each in store.path.parent.iterdir()) == ["profiles.json", "profiles.lock"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(store: ProfileStore, run: Run, mode: int) -> None:
    store.save(KEYED)
    store.path.chmod(mode)
    ended = run("shipments", "list")
    assert (ended.code, ended.out) == (2, "")
    assert f"chmod 600 {store.path}" in ended.err


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2, "current": null, "profiles": {}}', '{"format": 1}', "\udc80"]
)
def test_a_file_of_another_kind_is_one_line(store: ProfileStore, run: Run, text: str) -> None:
    store.save(KEYED)
    store.path.write_bytes(text.encode(errors="surrogateescape"))
    ended = run("profiles", "list")
    assert (ended.code, ended.err) == (
        2,
        f"error: {store.path} is no file of profiles: delete it and log in again\n",
    )


def test_logins_at_once_lose_no_profile(store: ProfileStore) -> None:
    saving = [
        Thread(target=store.save, args=(Profile(f"p{index}", URL, api_key="k"),)) for index in range(20)
    ]
    for each in saving:
        each.start()
    for each in saving:
        each.join()
    assert len(store.load().by_name) == 20


def test_secrets_are_in_no_repr() -> None:
    shown = repr([Profile("x", URL, token="SECRET", api_key="SECRET"), Access(URL, password="SECRET")])  # noqa: S106
    assert "SECRET" not in shown


@pytest.mark.parametrize(
    ("url", "profile", "environment", "found"),
    [
        (None, None, {}, Access(URL, api_key="key", profile="default")),
        (URL + "/", None, {}, Access(URL, api_key="key", profile="default")),
        (None, None, {"WAYBILL_URL": URL}, Access(URL, api_key="key", profile="default")),
        (None, "other", {}, Access("http://localhost:8080", token="t", profile="other")),  # noqa: S106
        (
            None,
            None,
            {"WAYBILL_PROFILE": "other"},
            Access("http://localhost:8080", token="t", profile="other"),  # noqa: S106
        ),
        (None, None, {"WAYBILL_API_KEY": "k"}, Access("http://localhost:8080", api_key="k")),
        (
            "http://a.example",
            None,
            {"WAYBILL_USER": "ana", "WAYBILL_PASSWORD": "secret", "WAYBILL_URL": URL},
            Access("http://a.example", username="ana", password="secret"),  # noqa: S106
        ),
        (None, "default", {"WAYBILL_API_KEY": "k"}, Access(URL, api_key="key", profile="default")),
    ],
)
def test_credentials_are_those_of_the_profile_or_of_the_environment(
    url: str | None, profile: str | None, environment: dict[str, str], found: Access
) -> None:
    assert access_of(url, profile, environment, PROFILES) == found


@pytest.mark.parametrize(
    ("url", "profile", "environment", "said"),
    [
        ("https://evil.example", None, {}, "the profile default is for https://waybill.example"),
        (None, None, {"WAYBILL_URL": "https://evil.example"}, "the profile default is for"),
        ("https://evil.example", "other", {}, "the profile other is for"),
        (None, "none", {}, "there is no profile none (there are: default, other)"),
        (None, None, {"WAYBILL_USER": "ana"}, "WAYBILL_PASSWORD is missing"),
        (None, None, {"WAYBILL_PASSWORD": "x"}, "WAYBILL_USER is missing"),
        ("localhost:8080", None, {"WAYBILL_API_KEY": "k"}, "must begin with http:// or https://"),
        (
            "https://ana:x@a.example",
            None,
            {"WAYBILL_API_KEY": "k"},
            "credentials do not belong into the address",
        ),
        ("https://a.example?x=1", None, {"WAYBILL_API_KEY": "k"}, "has a query or a fragment"),
        ("https://a.example:x", None, {"WAYBILL_API_KEY": "k"}, "is no address"),
    ],
)
def test_credentials_go_to_no_other_address(
    url: str | None, profile: str | None, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(Misused) as refused:
        access_of(url, profile, environment, PROFILES)
    assert said in str(refused.value)


def test_an_address_has_one_form() -> None:
    assert address("HTTPS://Waybill.Example:8443/api/") == "https://waybill.example:8443/api"
    assert address("http://[::1]:8080") == "http://[::1]:8080"


def test_an_ended_login_says_how_to_renew_it() -> None:
    ended = Profile("one", URL, "ana", "t", datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(Misused, match="waybill login --profile one"):
        access_of(None, None, {}, Profiles().with_profile(ended))


def test_a_login_stores_the_token_and_never_the_password(
    waybill: StandIn, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAYBILL_USER")
    monkeypatch.delenv("WAYBILL_PASSWORD")
    lines(monkeypatch, "blue-truck")
    ended = run("login", "--username", "ana")
    assert (ended.code, ended.out) == (0, "")
    text = (config / "profiles.json").read_text()
    assert "blue-truck" not in text + ended.err
    assert json.loads(text)["profiles"]["default"] | {"expires_at": ""} == {
        "url": waybill.url,
        "username": "ana",
        "token": "t",
        "expires_at": "",
    }
    waybill.responses.append(page(SHIPMENT))
    assert run("shipments", "list", "--json").json == [SHIPMENT]
    assert waybill.asked[0].token == "Bearer t"  # noqa: S105


def test_a_key_is_stored_and_the_list_of_profiles_does_not_show_it(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(monkeypatch, "SECRET")
    assert run("login", "--api-key", "--profile", "dock").code == 0
    listed = run("profiles", "list", "--json")
    assert listed.json == [
        {
            "name": "dock",
            "current": True,
            "url": waybill.url,
            "credentials": "API key",
            "username": None,
            "expires_at": None,
        }
    ]
    assert "SECRET" not in listed.out + run("profiles", "list").out


def test_a_logout_revokes_the_token_and_removes_the_profile(
    waybill: StandIn, run: Run, store: ProfileStore
) -> None:
    store.save(Profile("default", waybill.url, "ana", "t", datetime.now(UTC) + timedelta(hours=1)))
    waybill.responses.append((204, b""))
    assert run("logout").code == 0
    assert [(each.method, each.path, each.token) for each in waybill.asked] == [
        ("POST", "/auth/logout", "Bearer t")
    ]
    assert store.load() == Profiles()
    assert run("logout").code == 2


def test_a_token_that_could_not_be_revoked_is_reported(
    waybill: StandIn, run: Run, store: ProfileStore
) -> None:
    store.save(Profile("default", waybill.url, "ana", "t", datetime.now(UTC) + timedelta(hours=1)))
    waybill.responses.append(refusal(503, "SERVICE_UNAVAILABLE", "later"))
    ended = run("logout")
    assert ended.code == 3
    assert "its token is not revoked" in ended.err
    assert store.load() == Profiles()


def test_a_name_or_a_password_that_is_not_given_is_asked_for_at_a_terminal_only(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(monkeypatch)
    assert "give it as an option" in run("login").err
    ended = run("login", "--username", "ana")
    assert (ended.code, "one line on standard input" in ended.err) == (2, True)
    assert waybill.asked == []


def test_another_profile_is_used_without_its_address(run: Run, store: ProfileStore) -> None:
    with standing_in() as here, standing_in() as there:
        store.save(Profile("there", there.url, api_key="k"))
        store.save(Profile("here", here.url, api_key="k"))
        there.responses += [page(), page()]
        assert run("shipments", "list", "--profile", "there").code == 0
        assert run("profiles", "use", "there").code == 0
        assert run("shipments", "list").code == 0
        assert (len(here.asked), len(there.asked)) == (0, 2)
