"""Pictures of the dashboards without Grafana: the same queries, sent to a real Prometheus.

    make pictures ARGS='--seconds 180'

Starts a stack of its own, watches it as deploy/prometheus says, and lets several ordinary days go by at once.
"""

import argparse
import asyncio
import os
import re
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from bench.saving import machine
from matplotlib import pyplot as plt

from devstack.client import RunningStack, start_stack
from docgen.dashboards.pages import DASHBOARDS
from docgen.dashboards.panel import Dashboard, Panel, Query
from tests.observability.day import ordinary_day
from tests.support.prometheus import Prometheus, watching

PICTURES: Final = Path(__file__).parents[1] / "docs/pictures"
STEP_S: Final = 2
COLUMNS: Final = 2
LEGEND: Final = 8


def draw(page: Dashboard, prometheus: Prometheus, *, began_s: float, ended_s: float) -> Path:
    """Draw the graphs of a dashboard after a load."""
    panels = [panel for panel in page.panels if not panel.is_figure]
    rows = -(-len(panels) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(14, 2.9 * rows), squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for panel, axis in zip(panels, axes.flat, strict=False):
        _draw_panel(panel, axis, prometheus, began_s=began_s, ended_s=ended_s)
    day = datetime.fromtimestamp(ended_s, UTC).date()
    figure.suptitle(f"{page.title}: {day}, {machine()}, the load on the same machine", fontsize=10)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    path = PICTURES / f"{page.uid}.png"
    figure.savefig(path, dpi=70)
    plt.close(figure)
    return path


def _draw_panel(panel: Panel, axis: Any, prometheus: Prometheus, *, began_s: float, ended_s: float) -> None:  # noqa: ANN401  # matplotlib may not be installed when types are checked
    for query in panel.queries:
        expression = query.expression.replace("$__rate_interval", "20s")
        found = prometheus.ask(
            "query_range", query=expression, start=str(began_s), end=str(ended_s), step=str(STEP_S)
        )
        for series in found["result"]:
            instants = [at - began_s for at, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            axis.plot(instants, values, linewidth=1, label=_legend(query, panel, series["metric"]))
    axis.set_title(f"{panel.title} ({panel.unit})", fontsize=9)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("s", fontsize=7)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)
    if len(axis.lines) <= LEGEND:
        axis.legend(fontsize=6, framealpha=0.5)


def _legend(query: Query, panel: Panel, labels: dict[str, str]) -> str:
    legend = query.legend or panel.title
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return re.sub(r"\{\{.*?\}\}", "", legend).strip()


def _paths(stack: RunningStack, home: Path, *, seconds: float, lanes: int) -> Sequence[Path]:
    async def days() -> None:
        await asyncio.gather(
            *(ordinary_day(stack, for_s=seconds, user=f"scanner_{lane}") for lane in range(lanes))
        )

    with watching(stack, home / "prometheus", every=f"{STEP_S}s") as prometheus:
        time.sleep(2 * STEP_S)
        began_s = time.time()
        asyncio.run(days())
        time.sleep(2 * STEP_S)
        return [draw(page, prometheus, began_s=began_s, ended_s=time.time()) for page in DASHBOARDS]


def main() -> None:
    """Draw all dashboards."""
    parser = argparse.ArgumentParser(description="draw the dashboards under a load")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--lanes", type=int, default=6)
    parser.add_argument("--port", type=int, default=18488)
    asked = parser.parse_args()
    mpl.use("Agg")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        env = {**os.environ, "ENV": "production"}
        with start_stack(home / "stack", env=env, port=asked.port) as stack:
            for path in _paths(stack, home, seconds=asked.seconds, lanes=asked.lanes):
                print(path)


if __name__ == "__main__":
    main()
