"""Requests of commands to Waybill, and their messages when it fails."""

import socket
import threading

import pytest
from aiohttp.test_utils import unused_port

from tests.unit.operations.conftest import Run
from tests.unit.operations.stand_in import StandIn, page, refusal

DEAD_LETTER = {"id": "dl_0_1", "error": "not JSON", "event_id": None}
SHOW = ("dead-letters", "show", "dl_0_1")


def test_a_command_logs_in_and_prints_json_for_programs(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, DEAD_LETTER), page()]
    ended = run(*SHOW, "--json")
    assert (ended.code, ended.json, ended.err) == (0, DEAD_LETTER | {"event": None, "history": []}, "")
    asked = waybill.asked[0]
    assert (asked.method, asked.path, asked.token) == ("GET", "/dead-letters/dl_0_1", "Bearer t")


def test_a_command_prints_lines_for_people(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, DEAD_LETTER), page()]
    assert run(*SHOW).out.split()[:7] == ["id", "dl_0_1", "error", "not", "JSON", "event_id", "-"]


def test_an_api_key_comes_before_a_password(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_API_KEY", "key")
    monkeypatch.delenv("WAYBILL_PASSWORD")
    waybill.responses += [(200, DEAD_LETTER), page()]
    assert run(*SHOW).code == 0


def test_a_list_is_walked_through_page_by_page(waybill: StandIn, run: Run) -> None:
    actions = [dict.fromkeys(("at", "by", "action", "target", "reason", "details"), "x")] * 3
    waybill.responses += [page(*actions[:2], next_cursor="c"), page(actions[2])]
    assert run("actions", "list", "--by", "ana", "--json").json == actions
    assert [each.path for each in waybill.asked] == [
        "/operator-actions?limit=100&by=ana",
        "/operator-actions?limit=100&cursor=c&by=ana",
    ]


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (refusal(404, "NOT_FOUND", "no such dead letter"), 1, "no such dead letter (NOT_FOUND)"),
        (
            refusal(400, "VALIDATION_ERROR", "bad", details=[{"pointer": "/to", "message": "no instant"}]),
            1,
            "bad (VALIDATION_ERROR); /to no instant",
        ),
        (refusal(503, "SERVICE_UNAVAILABLE", "later"), 3, "later (SERVICE_UNAVAILABLE); try again in 7 s"),
        ((502, b"<html>"), 3, "status 502; try again in 1 s"),
        ((302, b""), 1, "status 302"),
        ((200, b"<html>"), 3, "what {url} sent is no JSON: is it Waybill?"),
    ],
)
def test_each_error_is_one_line(
    waybill: StandIn, run: Run, response: tuple[int, dict[str, object] | bytes], code: int, said: str
) -> None:
    waybill.responses.append(response)
    ended = run(*SHOW)
    assert (ended.code, ended.out, ended.err) == (code, "", f"error: {said.format(url=waybill.url)}\n")
    assert len(waybill.asked) == 1, "a token is not sent to where a redirect leads"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_of_the_shell_is_bypassed_for_this_machine(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    waybill.responses += [(200, DEAD_LETTER), page()]
    assert run(*SHOW).code == 0


def test_a_proxy_of_the_shell_is_used_for_other_hosts(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", waybill.url)
    waybill.responses += [(200, DEAD_LETTER), page()]
    run(*SHOW, "--url", "http://waybill.example")
    assert waybill.asked[0].path == "http://waybill.example/dead-letters/dl_0_1"


@pytest.mark.usefixtures("waybill")
def test_an_unreachable_waybill_is_reported(run: Run) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    ended = run(*SHOW, "--url", url)
    assert ended.code == 3
    assert ended.err.startswith(f"error: no response from {url}: ")
    assert ended.err.count("\n") == 1


@pytest.mark.usefixtures("waybill")
@pytest.mark.parametrize(
    "response",
    [
        b"this is no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_a_truncated_response_is_one_line(run: Run, response: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(response)

        saying = threading.Thread(target=say)
        saying.start()
        ended = run(*SHOW, "--url", f"http://127.0.0.1:{server.getsockname()[1]}")
        saying.join()
    assert (ended.code in (1, 3), ended.out, ended.err.count("\n")) == (True, "", 1)
    assert ended.err.startswith("error: ")


@pytest.mark.usefixtures("waybill")
def test_missing_credentials_are_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*SHOW, "--url", "localhost:8080").code == 2
    monkeypatch.delenv("WAYBILL_PASSWORD")
    ended = run(*SHOW)
    assert (ended.code, ended.out) == (2, "")
    assert "WAYBILL_API_KEY" in ended.err
