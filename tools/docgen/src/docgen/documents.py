"""Generated documents, and the path at which each is committed."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from docgen.asyncapi import asyncapi
from docgen.catalogues import catalogue, catalogue_paths
from docgen.dashboards.pages import DASHBOARDS
from docgen.dashboards.panel import rendered
from docgen.guide import GUIDE, guide
from docgen.observed import PAGE, observed
from docgen.openapi import openapi
from docgen.postman import postman
from docgen.settings_table import SETTINGS_PAGE, settings_page
from docgen.synchronous import synchronous, synchronous_paths

ROOT: Final = Path(__file__).parents[4]


def _as_text(document: Callable[[], Any]) -> Callable[[], str]:
    return lambda: json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


DOCUMENTS: Final[Mapping[Path, Callable[[], str]]] = {
    ROOT / "services/query-api/src/query_api/openapi.json": _as_text(openapi),
    ROOT / "docs/asyncapi.json": _as_text(asyncapi),
    ROOT / "docs/postman_collection.json": _as_text(postman),
    GUIDE: guide,
    PAGE: observed,
    SETTINGS_PAGE: settings_page,
    **{path: partial(synchronous, path) for path in synchronous_paths()},
    **{path: partial(catalogue, locale, path) for locale, path in catalogue_paths()},
    **{
        ROOT / f"deploy/grafana/dashboards/{page.uid}.json": _as_text(partial(rendered, page))
        for page in DASHBOARDS
    },
}
