"""The example of the TypeScript client runs against a stack: register, report and wait, read."""

from pathlib import Path

import pytest

from tests.support.node_tools import TYPESCRIPT_CLIENT, run_node
from tests.support.stack import StackAddresses
from tests.support.typescript_client import install_client

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def test_the_example_sees_its_shipment_picked_up(stack: StackAddresses, tmp_path: Path) -> None:
    install_client(tmp_path)
    example = tmp_path / "first-shipment.mts"
    example.write_text((TYPESCRIPT_CLIENT / "examples/first-shipment.ts").read_text())

    ran = run_node(example, cwd=tmp_path, env={"WAYBILL_URL": stack.gateway_url})

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith(": applied, now picked_up\n"), ran.stdout
    assert ran.stdout.startswith("99M-")
