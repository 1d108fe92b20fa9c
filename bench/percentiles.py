"""Latencies as HDR histograms: a table of percentiles, and a plot of them."""

from collections.abc import Iterable, Mapping, Sequence
from math import log10
from pathlib import Path
from typing import Final

from hdrh.histogram import HdrHistogram

PERCENTILES: Final = (50.0, 90.0, 99.0, 99.9)
PLOTTED: Final = (0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99)

_MAX_US: Final = 60_000_000
_DIGITS: Final = 3


class Latencies:
    """Latencies of one operation, to three digits, between 1 µs and a minute."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(1, _MAX_US, _DIGITS)
        for each in seconds:
            self.add(each)

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self._histogram.get_total_count())

    def add(self, seconds: float) -> None:
        """Add one."""
        self._histogram.record_value(min(max(1, round(seconds * 1e6)), _MAX_US))

    def at(self, percentile: float) -> float:
        """Return the given percentile in milliseconds."""
        return float(self._histogram.get_value_at_percentile(percentile)) / 1000

    @property
    def most(self) -> float:
        """Maximum, in milliseconds."""
        return float(self._histogram.get_max_value()) / 1000


def table(rows: Mapping[str, Latencies]) -> str:
    """Return the percentiles as text, in milliseconds."""
    heads = [*(f"p{percentile:g}" for percentile in PERCENTILES), "max"]
    width = max(map(len, rows))
    lines = [f"{'milliseconds':{width}} {'count':>8}" + "".join(f"{head:>9}" for head in heads)]
    for name, latencies in rows.items():
        values = [*(latencies.at(percentile) for percentile in PERCENTILES), latencies.most]
        lines.append(f"{name:{width}} {len(latencies):8}" + "".join(f"{value:9.2f}" for value in values))
    return "\n".join(lines)


def plot(rows: Mapping[str, Latencies], path: Path, *, title: str) -> None:
    """Draw the percentiles: nines on the x-axis, milliseconds on a logarithmic y-axis."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # half a second, and only for who plots

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for name, latencies in rows.items():
        shown = _shown(len(latencies))
        axes.plot([_nines(each) for each in shown], [latencies.at(each) for each in shown], label=name)
    axes.set_xticks([_nines(each) for each in PLOTTED], [f"{each:g}" for each in PLOTTED], rotation=45)
    axes.set_yscale("log")
    axes.set_xlabel("percentile")
    axes.set_ylabel("milliseconds")
    axes.set_title(title)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=90)


def _shown(count: int) -> Sequence[float]:
    """Return the percentiles that this many values support: at least ten lie above the last one."""
    return [each for each in PLOTTED if count * (1 - each / 100) >= 10 or each <= PERCENTILES[0]]  # noqa: PLR2004


def _nines(percentile: float) -> float:
    """Return the position of a percentile on an axis on which each nine takes equal space."""
    return -log10(1 - percentile / 100)
