"""The generated parts of docs/observability.md: the table of metrics, and that of alerts."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import yaml
from aiohttp import web
from aiohttp.web_urldispatcher import SystemRoute
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from httpkit.middleware.http_metrics import HttpMetrics, new_registry
from httpkit.settings import StreamSettings
from httpkit.streaming.open_streams import OpenStreams
from messaging.metrics import (
    ChangeTailMetrics,
    CommandLogMetrics,
    ConsumerMetrics,
    PartitionMetrics,
    ProducerMetrics,
)
from messaging.producer.command_log import KafkaCommandLog
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from processor.metrics import ProcessorMetrics
from storage.metrics import BreakerMetrics, PoolMetrics
from storage.redis.breaker import RedisBreaker
from webhooks.metrics import WebhookMetrics

ROOT: Final = Path(__file__).parents[4]
PAGE: Final = ROOT / "docs/observability.md"
ALERTS: Final = ROOT / "deploy/prometheus/rules/alerts.yml"

_OWN: Final = ("http_", "waybill_")


def observed() -> str:
    """Return the page with its tables regenerated."""
    page = _with_part(PAGE.read_text(), "metrics", _metrics_table())
    return _with_part(page, "alerts", _alerts_table())


def _with_part(page: str, name: str, table: str) -> str:
    part = re.compile(f"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return part.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", page)


def metrics() -> list[Metric]:
    """Return our own metrics of all services, with an example of each that has labels."""
    registry = new_registry("processor")
    producer, guarded = ResilientProducer(KafkaSettings()), RedisBreaker("example")
    HttpMetrics(registry).observe(SystemRoute(web.HTTPNotFound()), 404, 0.0)
    ProcessorMetrics(registry)
    PoolMetrics(registry)
    WebhookMetrics(registry, slots=1)
    OpenStreams(StreamSettings(), registry)
    for collector in (
        ProducerMetrics(producer),
        CommandLogMetrics(KafkaCommandLog(producer, Topics(), max_in_flight=1)),
        PartitionMetrics(cast("Any", SimpleNamespace(lags={0: 0}, offsets={0: 0}, halted=0))),
        ConsumerMetrics(cast("Any", SimpleNamespace(lags={0: 0}, skipped=0)), "example"),
        ChangeTailMetrics(cast("Any", SimpleNamespace(is_wanted=False, is_following=False))),
        BreakerMetrics(),
    ):
        registry.register(collector)
    found = _families(registry)
    del guarded
    return found


def _families(registry: CollectorRegistry) -> list[Metric]:
    own = [metric for metric in registry.collect() if metric.name.startswith(_OWN)]
    return sorted(own, key=lambda metric: metric.name)


def _metrics_table() -> str:
    rows = [
        f"| `{shown_name(metric)}` | {metric.type} | {', '.join(f'`{name}`' for name in _labels(metric))}"
        f" | {metric.documentation} |"
        for metric in metrics()
    ]
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows])


def shown_name(metric: Metric) -> str:
    """Return the name of a metric in Prometheus."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _labels(metric: Metric) -> Sequence[str]:
    return sorted({label for sample in metric.samples for label in sample.labels if label != "le"})


def _alerts_table() -> str:
    return "\n".join(["| alert | urgency | what to do |", "|---|---|---|", *_alert_rows()])


def _alert_rows() -> Iterator[str]:
    document: dict[str, Any] = yaml.safe_load(ALERTS.read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            link = rule["annotations"]["runbook_url"].removeprefix("docs/")
            title = link.partition("#")[2].replace("-", " ")
            yield f"| `{rule['alert']}` | {rule['labels']['severity']} | [{title}]({link}) |"
