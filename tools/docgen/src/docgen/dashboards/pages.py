"""The dashboards: overall health, flow of events, HTTP API, webhooks, pages."""

from collections.abc import Iterator
from typing import Final

from docgen.dashboards.panel import INTERVAL, Dashboard, Panel, Query

_OWN: Final = 'job=~"ingest-api|query-api|processor|webhooks|portal"'
_API: Final = 'route!~"/health.*|/metrics|.+/stream"'


def _rate(metric: str, by: str = "", where: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{{{where}}}[{INTERVAL}]))"


def _quantiles(metric: str, by: str = "", where: str = "") -> Iterator[Query]:
    legend = "".join(f" {{{{{label.strip()}}}}}" for label in by.split(",") if label)
    for share in (0.5, 0.95, 0.99):
        buckets = _rate(f"{metric}_bucket", f"le, {by}" if by else "le", where)
        yield Query(f"histogram_quantile({share}, {buckets})", f"p{round(share * 100)}{legend}")


def _mean(metric: str) -> str:
    return f"{_rate(f'{metric}_sum')} / {_rate(f'{metric}_count')}"


ACCEPTED: Final = Panel(
    title="Events accepted and committed",
    unit="ops",
    queries=(
        Query(_rate("waybill_accepted_events_total"), "accepted"),
        Query(_rate("waybill_event_latency_seconds_count"), "committed"),
    ),
    reads="Where accepted stays above committed, the lag grows.",
)
LATENCY: Final = Panel(
    title="From acceptance to commit",
    unit="s",
    queries=tuple(_quantiles("waybill_event_latency_seconds")),
)
LAG: Final = Panel(
    title="Lag per partition",
    queries=(Query("max by (partition) (waybill_partition_lag)", "{{partition}}"),),
    reads="Records in the log that are not applied yet, those in flight included.",
)

OVERVIEW: Final = Dashboard(
    uid="waybill-overview",
    title="Waybill overview",
    panels=(
        Panel(title="Instances up", is_figure=True, queries=(Query(f"sum(up{{{_OWN}}})"),)),
        Panel(
            title="Accepted",
            unit="ops",
            is_figure=True,
            queries=(Query(_rate("waybill_accepted_events_total")),),
        ),
        Panel(
            title="Late within 5 min",
            unit="percentunit",
            is_figure=True,
            queries=(Query("waybill:late_events:ratio5m"),),
        ),
        Panel(
            title="Failed within 5 min",
            unit="percentunit",
            is_figure=True,
            queries=(Query("waybill:failed_answers:ratio5m"),),
        ),
        Panel(
            title="Lag",
            is_figure=True,
            queries=(Query("sum(max by (partition) (waybill_partition_lag))"),),
        ),
        Panel(title="Halted", is_figure=True, queries=(Query("sum(waybill_partitions_halted)"),)),
        ACCEPTED,
        LATENCY,
        Panel(
            title="Requests by service",
            unit="reqps",
            queries=(Query(_rate("http_requests_total", "job", _API), "{{job}}"),),
        ),
        LAG,
        Panel(
            title="CPU by instance",
            unit="percentunit",
            queries=(
                Query(f"rate(process_cpu_seconds_total{{{_OWN}}}[{INTERVAL}])", "{{job}} {{instance}}"),
            ),
            reads="1 is a whole core; a service uses one.",
        ),
        Panel(
            title="Memory by instance",
            unit="bytes",
            queries=(Query(f"process_resident_memory_bytes{{{_OWN}}}", "{{job}} {{instance}}"),),
        ),
        Panel(
            title="Running versions",
            queries=(Query("sum by (service, version) (waybill_build_info)", "{{service}} {{version}}"),),
        ),
    ),
)

PIPELINE: Final = Dashboard(
    uid="waybill-pipeline",
    title="Waybill pipeline",
    panels=(
        ACCEPTED,
        Panel(
            title="Events by outcome",
            unit="ops",
            queries=(Query(_rate("waybill_events_total", "outcome, reason"), "{{outcome}} {{reason}}"),),
        ),
        LATENCY,
        LAG,
        Panel(
            title="Applied per partition",
            unit="ops",
            queries=(
                Query(f"max by (partition) (rate(waybill_partition_offset[{INTERVAL}]))", "{{partition}}"),
            ),
        ),
        Panel(
            title="Records per batch",
            queries=(Query(_mean("waybill_batch_records"), "mean"), *_quantiles("waybill_batch_records")),
        ),
        Panel(title="Time per batch", unit="s", queries=tuple(_quantiles("waybill_batch_seconds"))),
        Panel(
            title="Batches retried",
            unit="ops",
            queries=(
                Query(_rate("waybill_batch_retries_total", "error"), "{{error}}"),
                Query(_rate("waybill_fence_losses_total"), "fence lost"),
            ),
            reads="Zero, except for a moment when a store goes away and comes back.",
        ),
        Panel(
            title="Dead letters",
            unit="ops",
            queries=(Query(_rate("waybill_events_total", "reason", 'outcome="dead"'), "{{reason}}"),),
        ),
        Panel(
            title="Duplicates known to Redis",
            unit="percentunit",
            queries=(Query(f"{_rate('waybill_dedup_hits_total')} / {_rate('waybill_dedup_lookups_total')}"),),
        ),
        Panel(
            title="In flight to Kafka",
            queries=(
                Query("sum(waybill_in_flight_events)", "events"),
                Query("sum(waybill_producer_connected)", "producers connected"),
            ),
        ),
        Panel(
            title="Waiting for a connection to MongoDB",
            unit="s",
            queries=tuple(_quantiles("waybill_mongo_pool_wait_seconds", "job")),
        ),
        Panel(
            title="Connections to MongoDB in use",
            queries=(Query("sum by (job) (waybill_mongo_pool_in_use)", "{{job}}"),),
        ),
        Panel(
            title="Users of Redis without it",
            queries=(Query("sum by (user) (waybill_redis_failing)", "{{user}}"),),
        ),
    ),
)

API: Final = Dashboard(
    uid="waybill-api",
    title="Waybill API",
    panels=(
        Panel(
            title="Requests by route",
            unit="reqps",
            queries=(Query(_rate("http_requests_total", "method, route", _API), "{{method}} {{route}}"),),
        ),
        Panel(
            title="Responses by status",
            unit="reqps",
            queries=(Query(_rate("http_requests_total", "status", _API), "{{status}}"),),
        ),
        Panel(
            title="Median latency by route",
            unit="s",
            queries=(
                Query(
                    "histogram_quantile(0.5, "
                    + _rate("http_request_duration_seconds_bucket", "le, method, route", _API)
                    + ")",
                    "{{method}} {{route}}",
                ),
            ),
        ),
        Panel(
            title="99th percentile latency by route",
            unit="s",
            queries=(
                Query(
                    "histogram_quantile(0.99, "
                    + _rate("http_request_duration_seconds_bucket", "le, method, route", _API)
                    + ")",
                    "{{method}} {{route}}",
                ),
            ),
            reads="Writes to /shipments wait for the outcome; a login takes what bcrypt takes.",
        ),
        Panel(
            title="Rejected requests",
            unit="reqps",
            queries=(
                Query(
                    _rate("http_requests_total", "method, route, status", f'status=~"4..", {_API}'),
                    "{{status}} {{method}} {{route}}",
                ),
            ),
        ),
        Panel(
            title="Share of responses that miss the objective",
            unit="percentunit",
            queries=(
                Query("waybill:failed_answers:ratio5m", "failed, 5 min"),
                Query("waybill:failed_answers:ratio1h", "failed, 1 h"),
                Query("waybill:slow_answers:ratio5m", "slow, 5 min"),
                Query("waybill:slow_answers:ratio1h", "slow, 1 h"),
            ),
            reads="Objective: 0.1 % failed, 1 % slow (over 250 ms).",
        ),
    ),
)

_PAUSED: Final = 'state=~"paused_.*"'

WEBHOOKS: Final = Dashboard(
    uid="waybill-webhooks",
    title="Waybill webhooks",
    panels=(
        Panel(
            title="Endpoints",
            is_figure=True,
            queries=(Query("sum(max by (state) (waybill_webhook_endpoints))"),),
        ),
        Panel(
            title="Failing",
            is_figure=True,
            queries=(Query('max(waybill_webhook_endpoints{state="failing"})'),),
        ),
        Panel(
            title="Paused",
            is_figure=True,
            queries=(Query(f"sum(max by (state) (waybill_webhook_endpoints{{{_PAUSED}}}))"),),
        ),
        Panel(
            title="Oldest due",
            unit="s",
            is_figure=True,
            queries=(Query("max(waybill_webhook_oldest_due_seconds)"),),
        ),
        Panel(
            title="Attempts by result",
            unit="ops",
            queries=(Query(_rate("waybill_webhook_attempts_total", "result"), "{{result}}"),),
            reads="Retries are normal where a receiver is away; refused addresses are not.",
        ),
        Panel(
            title="Time of an attempt",
            unit="s",
            queries=tuple(_quantiles("waybill_webhook_attempt_seconds")),
            reads="That of the receivers: 15 s is the limit.",
        ),
        Panel(
            title="Attempts in flight",
            queries=(
                Query("sum(waybill_webhook_in_flight)", "in flight"),
                Query("sum(waybill_webhook_slots)", "slots"),
            ),
        ),
        Panel(
            title="Age of the oldest due delivery",
            unit="s",
            queries=(Query("max(waybill_webhook_oldest_due_seconds)", "oldest"),),
            reads="Without endpoints that fail, and those with a rate of their own.",
        ),
        Panel(
            title="Changes not fanned out",
            queries=(Query('sum(max by (partition) (waybill_consumer_lag{job="webhooks"}))', "changes"),),
            reads="None is read while there is no endpoint.",
        ),
        Panel(
            title="Endpoints by state",
            queries=(Query("max by (state) (waybill_webhook_endpoints)", "{{state}}"),),
        ),
        Panel(
            title="Endpoints paused within an hour",
            queries=(Query("sum by (reason) (increase(waybill_webhook_pauses_total[1h]))", "{{reason}}"),),
        ),
        Panel(
            title="Deliveries held", unit="ops", queries=(Query(_rate("waybill_webhook_held_total"), "held"),)
        ),
    ),
)

_STREAMS: Final = 'route=~".+/stream"'
_PAGE: Final = 'job="portal", route=~"/track.*|/console.*", route!~".+/stream"'

PORTAL: Final = Dashboard(
    uid="waybill-portal",
    title="Waybill pages",
    panels=(
        Panel(title="Streams open", is_figure=True, queries=(Query("sum(waybill_streams_open)"),)),
        Panel(
            title="Pages by route",
            unit="ops",
            queries=(Query(_rate("http_requests_total", "method, route", _PAGE), "{{method}} {{route}}"),),
        ),
        Panel(
            title="99th percentile latency of pages",
            unit="s",
            queries=(
                Query(
                    "histogram_quantile(0.99, "
                    + _rate("http_request_duration_seconds_bucket", "le, route", _PAGE)
                    + ")",
                    "{{route}}",
                ),
            ),
        ),
        Panel(
            title="Streams open by service",
            queries=(Query("sum by (job) (waybill_streams_open)", "{{job}}"),),
        ),
        Panel(
            title="Streams begun",
            unit="ops",
            queries=(Query(_rate("http_requests_total", "job, status", _STREAMS), "{{job}} {{status}}"),),
            reads="Each ends by itself within a minute and is resumed: open streams, divided by about 55.",
        ),
        Panel(
            title="Streams rejected",
            unit="ops",
            queries=(Query(_rate("waybill_streams_rejected_total", "job, limit"), "{{job}} {{limit}}"),),
            reads="`address`: one address has too many. `replica`: it is full.",
        ),
    ),
)

DASHBOARDS: Final = (OVERVIEW, PIPELINE, API, WEBHOOKS, PORTAL)
