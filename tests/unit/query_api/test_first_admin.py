"""The command of the first admin at a terminal; what it does to the database is tried beside a real one."""

import os
import subprocess
import sys

import pytest

COMMAND = (sys.executable, "-m", "query_api.first_admin", "ana")


def at_a_terminal(*typed: bytes) -> tuple[int, str]:
    """Run the command, answer each of its questions by what is typed; its exit code and what it says."""
    keyboard, terminal = os.openpty()
    with subprocess.Popen(
        COMMAND,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # no terminal but this one
    ) as process:
        os.close(terminal)
        assert process.stdout is not None
        told = b""
        for answer in typed:  # what is typed before the question is thrown away
            while not told.endswith((b"ana: ", b"more: ")):
                one = process.stdout.read(1)
                assert one, told
                told += one
            told += b"|"
            os.write(keyboard, answer)
        rest, _ = process.communicate(timeout=30)
    os.close(keyboard)
    return process.returncode, (told + rest).decode()


def test_whoever_gives_no_password_changes_nothing() -> None:
    told = "Password for ana: |\nerror: no password was given: nothing is changed\n"
    assert at_a_terminal(b"\x04") == (1, told)


def test_a_password_is_typed_twice_and_never_shown() -> None:
    answers = (b"blue-truck-seven\n", b"blue-truck-eight\n", b"password123\n", b"password123\n")
    code, told = at_a_terminal(*answers)
    assert (code, told.splitlines()[-1]) == (2, "error: password: one of the first that anybody would try")
    assert (told.count("They differ"), "truck" in told) == (1, False)


@pytest.mark.parametrize(("name", "value"), [("BCRYPT_COST", "x"), ("MONGO_MAX_POOL_SIZE", "none")])
def test_a_setting_that_is_wrong_is_named_before_a_password_is_asked_for(name: str, value: str) -> None:
    env = os.environ | {name: value}
    ended = subprocess.run(COMMAND, env=env, input="", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.startswith(f"settings: {name}: ")) == (2, True), ended.stderr


def test_a_closed_input_is_no_password() -> None:
    ended = subprocess.run(
        ["sh", "-c", f"exec {' '.join(COMMAND)} <&-"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "error: password: 0 bytes" in ended.stderr) == (2, True), ended.stderr
