"""Commands in processes of their own: at a terminal, and in a pipe."""

import os
import pty
import signal
import stat
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.unit.clients.command.bodies import EVENT, NUMBER
from tests.unit.clients.command.stand_in import StandIn, page

WAYBILL = str(Path(sys.executable).with_name("waybill"))
PASSWORD = "blue-truck-seven"  # noqa: S105


def typed_at_a_terminal(command: list[str], lines: list[tuple[str, str]]) -> tuple[int, str]:
    """Run a command at a terminal of its own; type each line when its question is there.

    What is typed at a question for a password before the echo is off is lost, as it is to people.
    """
    process, terminal = pty.fork()
    if not process:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job, as a CI may be, ignores it
        os.execv(command[0], command)  # noqa: S606
    shown = ""
    for question, line in lines:
        while question not in shown:
            shown += os.read(terminal, 1024).decode()
        while question == "Password" and termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, f"{line}\n".encode())
    try:
        while more := os.read(terminal, 1024):
            shown += more.decode()
    except OSError:  # the terminal is gone with the process
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown


def test_a_password_is_asked_for_without_echo(
    waybill: StandIn, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_URL", waybill.url)
    code, shown = typed_at_a_terminal([WAYBILL, "login"], [("User name", "ana"), ("Password", PASSWORD)])
    assert code == 0, shown
    assert PASSWORD not in shown
    profiles = config / "profiles.json"
    assert stat.S_IMODE(profiles.stat().st_mode) == 0o600
    assert PASSWORD not in profiles.read_text()


def test_ctrl_c_at_a_question_is_exit_code_130(waybill: StandIn, config: Path) -> None:
    code, shown = typed_at_a_terminal([WAYBILL, "login", "--username", "ana"], [("Password", "\x03")])
    assert code == 130, shown
    assert "stopped before anything was done" in shown
    assert not (config / "profiles.json").exists()
    assert waybill.asked == []


def test_a_closed_pipe_is_no_traceback(waybill: StandIn) -> None:
    events = [EVENT | {"event_id": f"evt_{index}", "notes": "x" * 1000} for index in range(100)]
    waybill.responses += [page(*events, next_cursor=f"c{at}") for at in range(10)]
    ended = subprocess.run(
        ["bash", "-c", f"{WAYBILL} events tail {NUMBER} --lines 1000 --json | head -c 10"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (len(ended.stdout), ended.stderr) == (10, "")


@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [
        ("profiles list --json >&-", 0, ""),
        ("profiles list --json 2>&- >/dev/null", 0, ""),
        ("login --username driver <&-", 2, "error: Password of driver: this is no terminal"),
        pytest.param(
            "profiles list --json >/dev/full",
            1,
            "error: No space left on device\n",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux"),
        ),
    ],
)
@pytest.mark.usefixtures("config")
def test_a_closed_or_full_stream_is_no_traceback(streams: str, code: int, said: str) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'"$0" -m waybill.cli.__main__ {streams}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert ended.stderr.startswith(said)
    assert len(ended.stderr.splitlines()) == bool(said)
