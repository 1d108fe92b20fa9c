"""The source of the console's figures: Prometheus if there is one, else the services' own metrics."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
from aiohttp import web

from portal.console.metrics.figures import Figures, FigureSource
from portal.console.metrics.prometheus import Prometheus
from portal.console.metrics.sampler import sampling
from portal.settings import SETTINGS


class NoFigures:
    """`FigureSource` where neither Prometheus nor addresses of metrics are set."""

    async def figures(self) -> Figures:
        """See `FigureSource`."""
        return Figures(problems=("neither PORTAL_PROMETHEUS_URL nor PORTAL_METRICS_TARGETS is set",))


FIGURES: Final[web.AppKey[FigureSource]] = web.AppKey("figures", FigureSource)


async def open_figures(app: web.Application) -> AsyncIterator[None]:
    """Keep the source of figures while the app runs."""
    settings = app[SETTINGS].portal
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        if settings.prometheus_url:
            app[FIGURES] = Prometheus(settings.prometheus_url, session)
        elif settings.metrics_targets:
            sampler = sampling(settings.metrics_targets, session)
            app[FIGURES] = await stack.enter_async_context(sampler)
        else:
            app[FIGURES] = NoFigures()
        yield
