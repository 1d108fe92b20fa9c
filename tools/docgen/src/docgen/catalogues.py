"""Catalogues of the portal's texts: what the pages say now, with the translations that are there.

A new text has an empty translation, which a test finds; one that no page has any more is dropped.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from portal.web.languages import DEFAULT, LOCALES

PORTAL: Final = Path(__file__).parents[4] / "services/portal/src/portal"
METHODS: Final = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS: Final = {"templates/**.html": {"silent": "false", "newstyle_gettext": "true"}}
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "message": None, "plural": (1, 2)}
WIDTH: Final = 110


def catalogue_path(locale: str) -> Path:
    """Return the path of a catalogue."""
    return PORTAL / "locales" / f"{locale}.po"


def translated_locales() -> tuple[str, ...]:
    """Return the locales that have a catalogue."""
    return tuple(locale for code, locale in LOCALES.items() if code != DEFAULT)


def catalogue(locale: str) -> str:
    """Return a catalogue as text."""
    known = _read(catalogue_path(locale), locale)
    found = Catalog(locale=locale, project="waybill-portal", fuzzy=False)
    for source in _sources():
        before = known.get(source)
        found.add(source, string=None if before is None else before.string)
    written = BytesIO()
    write_po(written, found, width=WIDTH, sort_output=True, no_location=True, omit_header=True)
    return _HEADER.format(plural_forms=found.plural_forms) + written.getvalue().decode()


_HEADER: Final = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def _read(path: Path, locale: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def _sources() -> Iterator[str | tuple[str, ...]]:
    for _, _, source, _, _ in extract_from_dir(PORTAL, METHODS, OPTIONS, keywords=KEYWORDS):
        yield source
