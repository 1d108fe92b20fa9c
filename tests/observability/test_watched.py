"""An ordinary day: every panel has figures, no alert fires, the log is JSON without private data."""

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from devstack.home.stack_file import SERVICES
from docgen.dashboards.pages import DASHBOARDS
from docgen.dashboards.panel import Query
from portal.console.metrics.figures import Quantity
from portal.console.metrics.prometheus import Prometheus
from tests.observability.conftest import Watched
from tests.observability.day import USER
from tests.observability.rules import alerts, recorded

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

QUERIES = [
    pytest.param(query, id=f"{page.uid}-{panel.title}-{index}")
    for page in DASHBOARDS
    for panel in page.panels
    for index, query in enumerate(panel.queries)
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_figures(watched: Watched, query: Query) -> None:
    values = watched.prometheus.values(query.expression)
    assert [value for value in values if math.isfinite(value)]


@pytest.mark.parametrize("name", sorted(recorded()))
def test_an_objective_is_measured(watched: Watched, name: str) -> None:
    (value,) = watched.prometheus.values(name)
    assert 0 <= value <= 1


def test_no_alert_fires_on_an_ordinary_day_or_is_about_to(watched: Watched) -> None:
    rules = watched.prometheus.alerts()
    assert {rule["name"] for rule in rules} == alerts().keys()
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
    assert [rule["name"] for rule in rules if rule["state"] != "inactive"] == []


def test_every_event_that_was_accepted_is_counted_with_its_latency(watched: Watched) -> None:
    [accepted] = watched.prometheus.values("sum(waybill_accepted_events_total)")
    [committed] = watched.prometheus.values("sum(waybill_event_latency_seconds_count)")
    [behind] = watched.prometheus.values("sum(waybill_partition_lag)")
    assert accepted > 100
    assert (committed, behind) == (accepted, 0)


async def test_the_console_reads_its_figures_from_prometheus(watched: Watched) -> None:
    async with aiohttp.ClientSession() as session:
        figures = await Prometheus(watched.prometheus.url, session).figures()
        away = await Prometheus("http://127.0.0.1:1", session).figures()
    assert figures.problems == ()
    latest = {each: figures.latest(each, now=time.time()) for each in Quantity}
    assert [each for each, point in latest.items() if point is None or point.value is None] == []
    assert away.problems == ("Prometheus does not respond",)


def test_duplicates_were_found_in_redis(watched: Watched) -> None:
    [hits] = watched.prometheus.values("sum(waybill_dedup_hits_total)")
    [lookups] = watched.prometheus.values("sum(waybill_dedup_lookups_total)")
    assert 0 < hits < lookups


def test_no_series_is_made_of_what_clients_send(watched: Watched) -> None:
    names = watched.prometheus.ask("label/__name__/values")
    series = watched.prometheus.ask("series", **{"match[]": '{__name__=~".+"}'})
    assert "waybill_events_total" in names
    assert not [each for each in series if any("99M-" in value for value in each.values())]
    assert len(series) < 2500


def lines(watched: Watched, service: str) -> Iterator[dict[str, Any]]:
    """Read the log of a service; lines of the interpreter at its start have another form."""
    for path in watched.stack.home.logs.glob(f"{service}-1.log*"):
        for line in path.read_text().splitlines():
            yield json.loads(line)


@pytest.mark.parametrize("service", SERVICES)
def test_each_log_line_is_json_and_names_its_service(watched: Watched, service: str) -> None:
    written = list(lines(watched, service))
    assert written
    for line in written:
        assert {"event", "level", "timestamp"} <= line.keys()
        assert (line["service"], line["instance_id"]) == (service, f"{service}-1")


def test_a_request_is_logged_with_its_id(watched: Watched) -> None:
    requests = [line for line in lines(watched, "ingest-api") if line["event"] == "request"]
    assert len(requests) > 10
    assert all(line["request_id"] for line in requests)
    created = [line for line in requests if line["method"] == "POST" and line["status"] == 201]
    assert created
    assert all(line["event_id"].startswith("evt_") for line in created)


def test_no_log_holds_secrets_or_contents_of_shipments(watched: Watched) -> None:
    logs = {path.name: path.read_text(errors="replace") for path in watched.stack.home.logs.iterdir()}
    assert {
        "ingest-api-1.log",
        "processor-1.log",
        "query-api-1.log",
        "webhooks-1.log",
        "portal-1.log",
        "gateway.log",
        "kafka.log",
    } <= logs.keys()
    assert USER in logs["query-api-1.log"]  # what is looked for would be there
    for name, text in logs.items():
        assert not [said[:8] for said in watched.private if said in text], name
