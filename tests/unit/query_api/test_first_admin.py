"""The command of the first admin at a terminal; the integration tests cover its writes."""

import os
import subprocess
import sys

import pytest

COMMAND = (sys.executable, "-m", "query_api.first_admin", "ana")


def at_a_terminal(*typed: bytes) -> tuple[int, str]:
    """Run the command, type a line at each prompt; return its exit code and output."""
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
        output = b""
        for answer in typed:  # what is typed before the question is thrown away
            while not output.endswith((b"ana: ", b"more: ")):
                one = process.stdout.read(1)
                assert one, output
                output += one
            output += b"|"
            os.write(keyboard, answer)
        rest, _ = process.communicate(timeout=30)
    os.close(keyboard)
    return process.returncode, (output + rest).decode()


def test_missing_password_changes_nothing() -> None:
    output = "Password for ana: |\nerror: no password was given: nothing is changed\n"
    assert at_a_terminal(b"\x04") == (1, output)


def test_a_password_is_typed_twice_and_never_shown() -> None:
    answers = (b"blue-truck-seven\n", b"blue-truck-eight\n", b"password123\n", b"password123\n")
    code, output = at_a_terminal(*answers)
    assert (code, output.splitlines()[-1]) == (2, "error: password: one of the first that anybody would try")
    assert (output.count("They differ"), "truck" in output) == (1, False)


@pytest.mark.parametrize(("name", "value"), [("BCRYPT_COST", "x"), ("MONGO_MAX_POOL_SIZE", "none")])
def test_a_setting_that_is_wrong_is_named_before_a_password_is_asked_for(name: str, value: str) -> None:
    env = os.environ | {name: value}
    ended = subprocess.run(COMMAND, env=env, input="", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.startswith(f"settings: {name}: ")) == (2, True), ended.stderr


def test_closed_input_is_not_a_password() -> None:
    ended = subprocess.run(
        ["sh", "-c", f"exec {' '.join(COMMAND)} <&-"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "error: password: 0 bytes" in ended.stderr) == (2, True), ended.stderr
