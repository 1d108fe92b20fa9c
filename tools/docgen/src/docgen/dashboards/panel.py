"""Panels and dashboards, and their form in Grafana."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

INTERVAL: Final = "$__rate_interval"
"""Grafana's name for a window that holds enough scrapes."""

_DATASOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS: Final = 24
_STAT_WIDTH, _STAT_HEIGHT = 4, 4
_GRAPH_WIDTH, _GRAPH_HEIGHT = 12, 8


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and the legend of its series: `{{label}}` stands for a label's value."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture.

    Attributes:
        unit: as Grafana names it.
        is_figure: the last value, large, instead of a graph.
        reads: description for readers.
    """

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    is_figure: bool = False
    reads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page of panels."""

    uid: str
    title: str
    panels: Sequence[Panel]


def rendered(dashboard: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana provisions it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["waybill"],
        "timezone": "utc",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": [
            _rendered(panel, number, place)
            for number, (panel, place) in enumerate(_placed(dashboard.panels), start=1)
        ],
    }


def _rendered(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "id": number,
        "type": "stat" if panel.is_figure else "timeseries",
        "title": panel.title,
        "description": panel.reads,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or panel.title,
            }
            for index, query in enumerate(panel.queries)
        ],
    }
    if panel.is_figure:
        rendered["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area"}
    return rendered


def _placed(panels: Sequence[Panel]) -> Iterator[tuple[Panel, dict[str, int]]]:
    """Put figures and graphs into rows, each as high as its panels."""
    x = y = row_height = 0
    for panel in panels:
        width, height = (_STAT_WIDTH, _STAT_HEIGHT) if panel.is_figure else (_GRAPH_WIDTH, _GRAPH_HEIGHT)
        if x + width > _COLUMNS or height != row_height:
            x, y = 0, y + row_height
        row_height = height
        yield panel, {"x": x, "y": y, "w": width, "h": height}
        x += width
