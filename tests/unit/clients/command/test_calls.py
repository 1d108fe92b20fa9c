"""Requests of commands to Waybill, and their messages when it fails."""

import socket
import threading

import pytest
from aiohttp.test_utils import unused_port

from tests.unit.clients.command.bodies import ACTION, dead_letter
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import StandIn, page, refusal

DEAD_LETTER = dead_letter(1)
ADDRESS = "give the address of the API itself"
NO_JSON = "the response is no JSON but nothing: is 127.0.0.1 Waybill's API?"
SHOW = ("dead-letters", "show", "dl_0_1")


def test_a_command_logs_in_and_prints_json_for_programs(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(200, DEAD_LETTER), page()]
    ended = ops(*SHOW, "--json")
    assert (ended.code, ended.json, ended.err) == (0, DEAD_LETTER | {"event": None, "history": []}, "")
    asked = waybill.asked[0]
    assert (asked.method, asked.path, asked.token) == ("GET", "/dead-letters/dl_0_1", "Bearer t")


def test_a_command_prints_lines_for_people(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(200, DEAD_LETTER), page()]
    lines = [line.split() for line in ops(*SHOW).out.splitlines()]
    assert [lines[0], lines[2], lines[9]] == [["id", "dl_0_1"], ["error", "not", "JSON"], ["event_id", "-"]]


def test_an_api_key_comes_before_a_password(
    waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_API_KEY", "key")
    monkeypatch.delenv("WAYBILL_PASSWORD")
    waybill.responses += [(200, DEAD_LETTER), page()]
    assert ops(*SHOW).code == 0


def test_a_list_is_walked_through_page_by_page(waybill: StandIn, ops: Run) -> None:
    actions = [ACTION] * 3
    waybill.responses += [page(*actions[:2], next_cursor="c"), page(actions[2])]
    assert ops("actions", "list", "--by", "ana", "--json").json == actions
    assert [each.path for each in waybill.asked] == [
        "/operator-actions?by=ana&limit=100",
        "/operator-actions?by=ana&limit=100&cursor=c",
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
        (
            (502, b"<html>"),
            3,
            f"status 502: Bad Gateway; {NO_JSON}; try again in 1 s",
        ),
        (
            (302, b""),
            1,
            f"status 302: {{url}}/dead-letters/dl_0_1 redirects to /elsewhere: {ADDRESS}",
        ),
        (
            (200, b"<html>"),
            1,
            f"status 200: {NO_JSON}",
        ),
    ],
)
def test_each_error_is_one_line(
    waybill: StandIn, ops: Run, response: tuple[int, dict[str, object] | bytes], code: int, said: str
) -> None:
    waybill.responses.append(response)
    ended = ops(*SHOW)
    assert (ended.code, ended.out, ended.err) == (code, "", f"error: {said.format(url=waybill.url)}\n")
    assert len(waybill.asked) == 1, "a token is not sent to where a redirect leads"


def test_a_temporary_failure_is_retried(waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.cli.context.RETRIES", 1)
    waybill.responses += [(502, b""), (200, DEAD_LETTER), page()]
    assert ops(*SHOW, "--json").code == 0


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_of_the_shell_is_bypassed_for_this_machine(
    waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    waybill.responses += [(200, DEAD_LETTER), page()]
    assert ops(*SHOW).code == 0


def test_a_proxy_of_the_shell_is_used_for_other_hosts(
    waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", waybill.url)
    waybill.responses += [(200, DEAD_LETTER), page()]
    ops(*SHOW, "--url", "http://waybill.example")
    assert waybill.asked[0].path == "http://waybill.example/dead-letters/dl_0_1"


@pytest.mark.usefixtures("waybill")
def test_an_unreachable_waybill_is_reported(ops: Run) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    ended = ops(*SHOW, "--url", url)
    assert ended.code == 3
    assert ended.err.startswith(f"error: no connection to {url}: ")
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
def test_a_truncated_response_is_one_line(ops: Run, response: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(response)

        saying = threading.Thread(target=say)
        saying.start()
        ended = ops(*SHOW, "--url", f"http://127.0.0.1:{server.getsockname()[1]}")
        saying.join()
    assert (ended.code in (1, 3), ended.out, ended.err.count("\n")) == (True, "", 1)
    assert ended.err.startswith("error: ")


@pytest.mark.usefixtures("waybill")
def test_missing_credentials_are_reported(ops: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ops(*SHOW, "--url", "localhost:8080").code == 2
    monkeypatch.delenv("WAYBILL_PASSWORD")
    assert "WAYBILL_PASSWORD is missing" in ops(*SHOW).err
    monkeypatch.delenv("WAYBILL_USER")
    ended = ops(*SHOW)
    assert (ended.code, ended.out) == (2, "")
    assert "WAYBILL_API_KEY" in ended.err
