"""`waybill-admin schema` reports errors in one line, and by its exit code."""

import os
import subprocess
import sys

import pytest

NOBODY = "mongodb://127.0.0.1:1/?replicaSet=rs0"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "toolbox", "schema", *arguments],
        env={**os.environ, "MONGO_URI": NOBODY, "MONGO_SERVER_SELECTION_TIMEOUT_S": "0.2", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_a_setting_that_cannot_be_is_refused_before_anything_is_done() -> None:
    done = run(EVENTS_REJECTED_KEEP_DAYS="3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "settings: EVENTS_REJECTED_KEEP_DAYS: at least 15, as long as a topic may retain the record\n"
    )


def test_each_fault_of_the_environment_is_named() -> None:
    done = run(EVENTS_REJECTED_KEEP_DAYS="3", MONGO_MAX_POOL_SIZE="none")
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == [
        " MONGO_MAX_POOL_SIZE",
        " EVENTS_REJECTED_KEEP_DAYS",
    ]


@pytest.mark.slow
def test_an_unavailable_store_is_reported_in_one_line() -> None:
    done = run("apply")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(
        "error: the schema could not be applied: MongoDB: ServerSelectionTimeoutError"
    )
