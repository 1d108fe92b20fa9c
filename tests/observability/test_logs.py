"""What the services write down on an ordinary day: JSON with ids, and nothing that is nobody's business."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.observability.conftest import Watched
from tests.observability.day import USER
from tests.support.prometheus import SERVICES

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]


def lines(watched: Watched, service: str) -> Iterator[dict[str, Any]]:
    """Read what a service has written; what the interpreter itself says at its start has another form."""
    for path in watched.stack.home.logs.glob(f"{service}-1.log*"):
        for line in path.read_text().splitlines():
            yield json.loads(line)


@pytest.mark.parametrize("service", SERVICES)
def test_each_line_is_json_and_says_who_wrote_it(watched: Watched, service: str) -> None:
    written = list(lines(watched, service))
    assert written
    for line in written:
        assert {"event", "level", "timestamp"} <= line.keys()
        assert (line["service"], line["instance_id"]) == (service, f"{service}-1")


def test_a_request_stands_there_with_its_id(watched: Watched) -> None:
    requests = [line for line in lines(watched, "ingest-api") if line["event"] == "request"]
    assert len(requests) > 10
    assert all(line["request_id"] for line in requests)
    created = [line for line in requests if line["method"] == "POST" and line["status"] == 201]
    assert created
    assert all(line["event_id"].startswith("evt_") for line in created)


def test_no_log_holds_secrets_or_what_shipments_say(watched: Watched) -> None:
    logs = {path.name: path.read_text(errors="replace") for path in watched.stack.home.logs.iterdir()}
    assert {
        "ingest-api-1.log",
        "processor-1.log",
        "query-api-1.log",
        "gateway.log",
        "kafka.log",
    } <= logs.keys()
    assert USER in logs["query-api-1.log"]  # what is looked for would be there
    for name, text in logs.items():
        assert not [said[:8] for said in watched.private if said in text], name
