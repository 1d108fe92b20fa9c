"""The OpenAPI document is true: schemathesis sends the running stack everything that it declares."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.printed_calls import ROOT
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

COMMAND = Path(sysconfig.get_path("scripts")) / "schemathesis"
CONFIGURATION = ROOT / "tests/support/schemathesis.toml"
FEWEST_CASES = 1_000


@pytest.mark.timeout(300)
async def test_every_response_conforms_to_the_document(
    stack: StackAddresses, nobody: Api, tokens: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.support.contract_hooks",
        "ADMIN_TOKEN": tokens["admin_user"],
        "CLIENT_TOKEN": tokens["client_user_001"],
    }
    ran = subprocess.run(  # noqa: ASYNC221  # nothing else happens meanwhile
        [
            *(COMMAND, "--config-file", CONFIGURATION, "--no-color"),
            *("run", f"{stack.gateway_url}/openapi.json", "--url", stack.gateway_url),
            *("--phases", "examples,coverage,stateful"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    await _delete_webhooks(nobody.by(tokens["admin_user"]))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    counted = re.search(r"(\d[\d,]*) generated", ran.stdout)
    assert counted is not None, ran.stdout
    with capsys.disabled():
        sys.stdout.write(f"\nschemathesis: {counted[1]} cases, 0 failures\n")
    assert int(counted[1].replace(",", "")) >= FEWEST_CASES
    # What was asked without a token that holds would have proved little.
    assert (await nobody.by(tokens["admin_user"]).get("/auth/users")).status == 200
    assert (await nobody.by(tokens["client_user_001"]).get("/shipments")).status == 200


async def _delete_webhooks(admin: Api) -> None:
    """Delete the endpoints that were created, or they would be sent what other tests do."""
    while found := (await admin.get("/webhooks?limit=100")).body["data"]:
        for endpoint in found:
            await admin.ask("DELETE", f"/webhooks/{endpoint['id']}")
