"""Lists as clients walk through them: from window to window, until nothing is left."""

from collections.abc import Awaitable, Callable

from domain.ports.core import Document
from domain.ports.queries import Page, Window


async def walked(
    page_of: Callable[[Window], Awaitable[Page]], *, total: int, limit: int = 1
) -> list[Document]:
    """Return what all windows show together; each tells the `total`, and none is empty but an only one."""
    found: list[Document] = []
    window = Window(limit=limit)
    while True:
        page = await page_of(window)
        assert page.total == total
        assert page.data or not found
        found += page.data
        if page.last is None:
            return found
        window = Window(limit=limit, after=page.last)
