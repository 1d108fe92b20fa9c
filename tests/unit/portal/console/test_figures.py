"""Figures of the overview: read from the services' metrics, combined, and drawn."""

import math
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from babel import Locale

from portal.console.charts.line_chart import Line, Text, line_chart
from portal.console.metrics.figures import Figures, Point, Quantity
from portal.console.metrics.readings import Reading, Sample, percentile, rate, read_metrics
from portal.console.metrics.sampler import MOST_POINTS, Sampler
from portal.web.numbers import figure

TEXT = """\
# TYPE waybill_accepted_events counter
waybill_accepted_events_total {accepted}
# TYPE waybill_events counter
waybill_events_total{{outcome="applied",reason=""}} {applied}
waybill_events_total{{outcome="rejected",reason="INVALID_TRANSITION"}} 2
waybill_events_total{{outcome="rejected",reason="SHIPMENT_NOT_FOUND"}} 3
waybill_events_total{{outcome="duplicate",reason=""}} 99
# TYPE waybill_event_latency_seconds histogram
waybill_event_latency_seconds_bucket{{le="0.01"}} 10
waybill_event_latency_seconds_bucket{{le="+Inf"}} 20
# TYPE waybill_partition_lag gauge
waybill_partition_lag{{partition="3"}} 7
"""
INF = float("inf")


def reading(
    *, accepted: float = 0, buckets: dict[float, float] | None = None, lags: dict[str, float] | None = None
) -> Reading:
    return Reading({Quantity.ACCEPTED: accepted}, buckets or {}, lags or {})


def sample(at: float, **readings: Reading) -> Sample:
    return Sample(at, readings)


def test_metrics_are_read_by_quantity() -> None:
    found = read_metrics(TEXT.format(accepted=5, applied=4))
    assert found.counts == {
        Quantity.ACCEPTED: 5,
        Quantity.APPLIED: 4,
        Quantity.REJECTED: 5,
        Quantity.DEAD: 0,
    }
    assert read_metrics("waybill_accepted_events_total 1\n").counts == {Quantity.ACCEPTED: 1}
    assert found.buckets == {0.01: 10, INF: 20}
    assert found.lags == {"3": 7}


def test_a_rate_survives_restarts_and_counts_only_those_seen_twice() -> None:
    before = sample(0, a=reading(accepted=100), b=reading(accepted=50), gone=reading(accepted=1))
    after = sample(10, a=reading(accepted=130), b=reading(accepted=20), new=reading(accepted=9))
    assert rate(before, after, Quantity.ACCEPTED) == (30 + 20) / 10
    assert rate(before, after, Quantity.DEAD) is None
    assert rate(sample(0), after, Quantity.ACCEPTED) is None


def test_percentiles_are_of_the_events_between_two_samples() -> None:
    before = sample(0, a=reading(buckets={0.1: 1_000, 1.0: 1_000, INF: 1_000}))
    after = sample(10, a=reading(buckets={0.1: 1_050, 1.0: 1_100, INF: 1_100}))
    assert percentile(before, after, 0.5) == pytest.approx(0.1)
    assert percentile(before, after, 0.25) == pytest.approx(0.05)
    assert percentile(before, after, 0.99) == pytest.approx(0.982)
    assert percentile(after, after, 0.5) is None
    late = sample(20, a=reading(buckets={0.1: 1_050, 1.0: 1_100, INF: 1_200}))
    assert percentile(after, late, 0.5) == 1.0


def test_lag_is_that_of_each_partition_once() -> None:
    seen = sample(0, a=reading(lags={"0": 5, "1": 2}), b=reading(lags={"1": 3}))
    assert seen.lag == 8
    assert sample(0, a=reading()).lag is None


def test_an_old_figure_is_unknown() -> None:
    figures = Figures({Quantity.LAG: [Point(0, 7.0), Point(10, None)]})
    assert figures.latest(Quantity.LAG, now=60) == Point(0, 7.0)
    assert figures.latest(Quantity.LAG, now=91) is None
    assert figures.latest(Quantity.P99, now=0) is None


async def test_the_services_are_sampled_and_those_that_do_not_respond_are_named() -> None:
    totals = {"accepted": 100, "applied": 90}

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text=TEXT.format(**totals))

    app, now = web.Application(), [1_000.0]
    app.router.add_get("/metrics", metrics)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(app))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        targets = [f"127.0.0.1:{server.port}", "127.0.0.1:1", "127.0.0.1:no-port"]
        sampler = Sampler(targets, session, clock=lambda: now[0])
        first = await sampler.figures()
        assert first.of(Quantity.ACCEPTED) == []
        assert first.latest(Quantity.LAG, now=now[0]) == Point(1_000.0, 7.0)
        assert first.problems == ("127.0.0.1:1 does not respond", "127.0.0.1:no-port does not respond")
        totals["accepted"], now[0] = 150, 1_005.0
        await sampler.sample()
        second = await sampler.figures()
        assert second.of(Quantity.ACCEPTED) == [Point(1_005.0, 10.0)]
        assert second.of(Quantity.P50) == [Point(1_005.0, None)]
        for _ in range(3 * MOST_POINTS):
            now[0] += 5
            await sampler.sample()
        many = (await sampler.figures()).of(Quantity.ACCEPTED)
        assert len(many) <= MOST_POINTS
        assert many[-1].at == now[0]


async def test_a_text_that_is_no_metrics_counts_as_no_response() -> None:
    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(body=b"\xff{{{ 1 2 3")

    app = web.Application()
    app.router.add_get("/metrics", nonsense)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        target = f"127.0.0.1:{server.port}"
        figures = await Sampler([target], session).figures()
    assert figures.problems == (f"{target} does not respond",)


def test_a_chart_has_gaps_where_values_are_unknown_and_a_table_behind_it() -> None:
    points = [Point(0, 10.0), Point(30, None), Point(60, 40.0), Point(120, 20.0)]
    chart = line_chart(
        Text("name", "title", "description", "unit"),
        [Line("a", points), Line("b", [])],
        now=120,
        since=0,
        span_s=3_600,
    )
    assert chart.lines[0].path.count("M") == 2
    assert chart.lines[0].path.count("L") == 1
    assert (chart.lines[0].latest, chart.lines[1].latest) == (20.0, None)
    assert [tick.value for tick in chart.y_ticks] == [0, 12.5, 25.0, 37.5, 50.0]
    assert [tick.value for tick in chart.x_ticks] == [2, 1, 0]
    assert [(row.at, row.values) for row in chart.rows][:2] == [(120, (20.0, None)), (60, (40.0, None))]
    assert not chart.is_empty
    nothing = line_chart(Text("n", "t", "d", "u"), [Line("a", [])], now=0, since=None, span_s=3_600)
    assert nothing.is_empty
    assert all(math.isfinite(tick.place) for tick in nothing.y_ticks)


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        (0, "en", "0"),
        (0.012345, "en", "0.0123"),
        (1.25, "es_MX", "1.25"),
        (12.34, "pt_BR", "12,3"),
        (123.4, "en", "123"),
        (123_456.7, "pt_BR", "123.457"),
        (0.000000001, "en", "0"),
    ],
)
def test_a_measured_number_has_three_digits(value: float, language: str, text: str) -> None:
    assert figure(value, Locale.parse(language)) == text
