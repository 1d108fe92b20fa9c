"""The examples of the Python client's README work as printed, with what it says they print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks
from tests.support.printed_calls import PRINTED_URL
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

PAGE = "clients/python/README.md"
RECEIVED = """
from standardwebhooks import Webhook
secret = "whsec_" + "A" * 43 + "="
body = b'{"type": "shipment.delivered", "timestamp": "2026-01-01T00:00:00Z"' \\
    b', "data": {"tracking_number": "99M-GMPWC6W7SP2G", "version": 5}}'
now = datetime.now(UTC)
headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}
headers["webhook-signature"] = Webhook(secret).sign("msg_1", now, body.decode())
print(receive(body, headers, secret), receive(body + b" ", headers, secret))
"""
PRINTED = [
    "applied picked_up",
    r"2 picked_up",
    r"(99M-\w{12} (created|picked_up)\n){1,3}True",
    "INVALID_TRANSITION the shipment is picked_up; in_warehouse or cancelled may follow",
    r"\['/status'\]",
    "0 0",
    "1 of 1",
    "CSV, utf-8, separator semicolon 1",
    "msg_1 shipment.delivered 99M-GMPWC6W7SP2G 5",
    "204 400",
]


def test_the_examples_work_in_the_order_they_are_printed(stack: StackAddresses, tmp_path: Path) -> None:
    program = "\n".join(block.text for block in blocks(PAGE) if block.language == "python" and block.is_run)
    program = (program + RECEIVED).replace(PRINTED_URL, stack.gateway_url)
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert re.fullmatch("\n".join(PRINTED) + "\n", ran.stdout), ran.stdout
