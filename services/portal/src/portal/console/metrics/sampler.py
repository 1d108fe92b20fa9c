"""Samples of the services' own metrics, taken while somebody looks at them."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from math import ceil
from typing import Final

import aiohttp
import structlog

from portal.console.metrics.figures import SPAN_S, Figures, Point, Quantity, Series
from portal.console.metrics.readings import Reading, Sample, percentile, rate, read_metrics
from servicekit.background_tasks import in_background

EVERY_S: Final = 5.0
IDLE_S: Final = 600.0
"""Sampling ends when nobody has looked for so long."""
MOST_POINTS: Final = 120

_TIMEOUT: Final = aiohttp.ClientTimeout(total=3.0)
_LARGEST: Final = 4 * 1024 * 1024
_SHARES: Final = {Quantity.P50: 0.5, Quantity.P99: 0.99}
_RATES: Final = (Quantity.ACCEPTED, Quantity.APPLIED, Quantity.REJECTED, Quantity.DEAD)

_log = structlog.get_logger(__name__)


class Sampler:
    """`FigureSource` of the services' own metrics, since the first look at them."""

    def __init__(
        self,
        targets: Sequence[str],
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the addresses.

        Args:
            targets: `host:port` of each service; a name that has several addresses stands for all of them.
            session: connections to them.
            clock: seconds since 1970.
        """
        self._targets = tuple(targets)
        self._session = session
        self._clock = clock
        self._samples: deque[Sample] = deque(maxlen=int(SPAN_S / EVERY_S) + 1)
        self._silent: tuple[str, ...] = ()
        self._looked_at = float("-inf")
        self._awake = asyncio.Event()

    async def figures(self) -> Figures:
        """See `FigureSource`; the first look takes the first sample."""
        self._looked_at = self._clock()
        if not self._samples or self._clock() - self._samples[-1].at > IDLE_S:
            await self.sample()
        self._awake.set()
        return Figures(
            series=_series_of(list(self._samples)),
            since=self._samples[0].at if self._samples else None,
            source="services",
            problems=tuple(f"{each} does not respond" for each in self._silent),
        )

    async def sample(self) -> None:
        """Take a sample."""
        addresses = [each for target in self._targets for each in await _addresses_of(target)]
        readings = await asyncio.gather(*(self._read(each) for each in addresses))
        known = {each: found for each, found in zip(addresses, readings, strict=True) if found is not None}
        self._silent = tuple(each for each in addresses if each not in known)
        self._samples.append(Sample(self._clock(), known))

    async def run(self) -> None:
        """Take samples while somebody looks, until cancelled."""
        while True:
            await self._awake.wait()
            await asyncio.sleep(EVERY_S)
            if self._clock() - self._looked_at > IDLE_S:
                self._awake.clear()
            else:
                await self.sample()

    async def _read(self, address: str) -> Reading | None:
        try:
            async with self._session.get(f"http://{address}/metrics", timeout=_TIMEOUT) as response:
                response.raise_for_status()
                return read_metrics(await _text_of(response))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError) as error:
            _log.info("metrics_unreachable", address=address, error=repr(error))
            return None


@asynccontextmanager
async def sampling(targets: Sequence[str], session: aiohttp.ClientSession) -> AsyncIterator[Sampler]:
    """Run a sampler while the context lasts."""
    sampler = Sampler(targets, session)
    async with in_background(sampler.run(), name="metrics_sampler"):
        yield sampler


async def _text_of(response: aiohttp.ClientResponse) -> str:
    """Return a body of at most `_LARGEST` bytes.

    Raises:
        ValueError: it is longer, or not UTF-8.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _LARGEST:
            raise ValueError("these are no metrics: too long")
    return body.decode()


async def _addresses_of(target: str) -> Sequence[str]:
    """Return the addresses of a name, or the name itself if it has none, which then does not respond."""
    host, _, port = target.rpartition(":")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=1)
    except (OSError, ValueError):
        return [target]
    hosts = dict.fromkeys(str(each[4][0]) for each in found)
    return [f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in hosts]


def _series_of(samples: Sequence[Sample]) -> dict[Quantity, Series]:
    """Return series of at most `MOST_POINTS` points, each over the time since the one before."""
    step = max(1, ceil(len(samples) / MOST_POINTS))
    chosen = samples[(len(samples) - 1) % step :: step]
    pairs = list(pairwise(chosen))
    series: dict[Quantity, Series] = {
        each: [Point(after.at, rate(before, after, each)) for before, after in pairs] for each in _RATES
    }
    for each, share in _SHARES.items():
        series[each] = [Point(after.at, percentile(before, after, share)) for before, after in pairs]
    series[Quantity.LAG] = [Point(each.at, each.lag) for each in chosen]
    return series
