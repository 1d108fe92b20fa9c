"""The routes of webhooks and their permissions."""

from typing import Final

from httpkit.routes import Route

ROUTES: Final[tuple[Route, ...]] = ()
