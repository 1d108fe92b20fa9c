"""Write the outline that the portal's maps are drawn from, out of the npm package `world-atlas`.

    npm pack world-atlas@2.0.2 && tar -xzf world-atlas-2.0.2.tgz
    python tools/map_outline.py package/countries-50m.json

The file has lines of points in hundredths of a degree: the first point, then the way to each next one. The
land is closed lines; borders are those between two countries.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).parents[1] / "services/portal/src/portal/tracking/geography/outline.json"
SOURCE: Final = "https://registry.npmjs.org/world-atlas/-/world-atlas-2.0.2.tgz, countries-50m.json"
LICENCE: Final = (
    "Natural Earth, public domain; packaged by world-atlas, ISC (Copyright 2013-2019 Michael Bostock)"
)
PER_DEGREE: Final = 100
MIN_CORNERS: Final = 3

Line = list[tuple[int, int]]
Topology = dict[str, Any]


def main() -> None:
    """Read the topology that the command line names, and write the outline."""
    topology: Topology = json.loads(Path(sys.argv[1]).read_text())
    arcs = [_decoded(arc, topology["transform"]) for arc in topology["arcs"]]
    outline = {
        "source": SOURCE,
        "licence": LICENCE,
        "land": [_deltas(line) for line in _land(topology, arcs) if len(line) > MIN_CORNERS],
        "borders": [_deltas(line) for line in _borders(topology, arcs) if len(line) > 1],
    }
    TARGET.write_text(json.dumps(outline, separators=(",", ":")) + "\n")


def _decoded(arc: list[list[int]], transform: Topology) -> Line:
    line: Line = []
    x = y = 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        degrees = (
            at * scale + offset
            for at, scale, offset in zip((x, y), transform["scale"], transform["translate"], strict=True)
        )
        lng, lat = (round(each * PER_DEGREE) for each in degrees)
        line.append((lng, lat))
    return line


def _land(topology: Topology, arcs: list[Line]) -> Iterator[Line]:
    for geometry in topology["objects"]["land"]["geometries"]:
        for ring in chain.from_iterable(geometry["arcs"]):
            parts = [arcs[each] if each >= 0 else arcs[~each][::-1] for each in ring]
            yield _without_repeats(list(chain.from_iterable(parts)))


def _borders(topology: Topology, arcs: list[Line]) -> Iterator[Line]:
    uses = Counter[int]()
    for geometry in topology["objects"]["countries"]["geometries"]:
        uses.update({each if each >= 0 else ~each for each in _flat(geometry.get("arcs", []))})
    yield from (_without_repeats(arcs[arc]) for arc, count in uses.items() if count > 1)


def _flat(nested: list[Any] | int) -> Iterator[int]:
    if isinstance(nested, int):
        yield nested
    else:
        yield from chain.from_iterable(map(_flat, nested))


def _without_repeats(line: Line) -> Line:
    return line[:1] + [after for before, after in pairwise(line) if before != after]


def _deltas(line: Line) -> list[int]:
    ways = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(line)]
    return list(chain.from_iterable([line[0], *ways]))


if __name__ == "__main__":
    main()
