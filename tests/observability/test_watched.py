"""On a real Prometheus: every panel has figures, every rule can be evaluated, no alert is near."""

import math

import pytest

from contracts.dashboards.pages import DASHBOARDS
from contracts.dashboards.panel import Query
from tests.observability.conftest import Watched
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


def test_what_was_sent_twice_was_found_in_redis(watched: Watched) -> None:
    [hits] = watched.prometheus.values("sum(waybill_dedup_hits_total)")
    [lookups] = watched.prometheus.values("sum(waybill_dedup_lookups_total)")
    assert 0 < hits < lookups


def test_no_series_is_made_of_what_clients_send(watched: Watched) -> None:
    names = watched.prometheus.ask("label/__name__/values")
    series = watched.prometheus.ask("series", **{"match[]": '{__name__=~".+"}'})
    assert "waybill_events_total" in names
    assert not [each for each in series if any("99M-" in value for value in each.values())]
    assert len(series) < 2500
