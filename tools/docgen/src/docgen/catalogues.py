"""Catalogues of the portal's texts: what the pages say now, with the translations that are there.

A new text goes to the catalogue of its half of the portal with an empty translation, which a test finds. It
may be moved to another catalogue of its language, and stays there. A text that no page has is dropped.
"""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from portal.web.languages import DEFAULT, LOCALES

_ROOT: Final = Path(__file__).parents[4]
PORTAL: Final = _ROOT / "services/portal/src/portal"
IMPORTING: Final = _ROOT / "clients/python/src/waybill/importing"
"""Reading of files, which the console's upload shares with the client."""
METHODS: Final = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS: Final = {"templates/**.html": {"silent": "false", "newstyle_gettext": "true", "trimmed": "true"}}
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "message": None, "plural": (1, 2)}
HALVES: Final = ("console", "tracking")
SHARED: Final = "shared"
WIDTH: Final = 110
_HEADER: Final = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural_forms}\\n"

"""

Source = str | tuple[str, ...]


def catalogue_paths() -> list[tuple[str, Path]]:
    """Return all catalogues: the locale and the path of each."""
    folders = {locale: PORTAL / "locales" / locale for code, locale in LOCALES.items() if code != DEFAULT}
    return [
        (locale, folder / f"{name}.po")
        for locale, folder in folders.items()
        for name in sorted({*HALVES, SHARED, *(path.stem for path in folder.glob("*.po"))})
    ]


def catalogue(locale: str, path: Path) -> str:
    """Return a catalogue as text."""
    own, elsewhere = _read(path, locale), set[Source]()
    for other in path.parent.glob("*.po"):
        if other != path:
            elsewhere |= _ids(_read(other, locale))
    found = Catalog(locale=locale, fuzzy=False)
    for source, half in _sources().items():
        before = own.get(_key(source))
        if before is not None or (half == path.stem and source not in elsewhere):
            found.add(source, string=None if before is None else before.string)
    written = BytesIO()
    write_po(written, found, width=WIDTH, sort_output=True, no_location=True, omit_header=True)
    return _HEADER.format(plural_forms=found.plural_forms) + written.getvalue().decode()


def _read(path: Path, locale: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def _ids(known: Catalog) -> set[Source]:
    return {each.id if isinstance(each.id, str) else tuple(each.id) for each in known if each.id}


def _key(source: Source) -> str:
    return source if isinstance(source, str) else source[0]


@cache
def _sources() -> dict[Source, str]:
    """Return each text, and the half of the portal where it is."""
    found: dict[Source, str] = {}
    for name, _, source, _, _ in extract_from_dir(PORTAL, METHODS, OPTIONS, keywords=KEYWORDS):
        half = next((part for part in Path(name).parts if part in HALVES), SHARED)
        found[source] = half if found.get(source, half) == half else SHARED
    for _, _, source, _, _ in extract_from_dir(IMPORTING, [("**.py", "python")], keywords={"message": None}):
        found.setdefault(source, "console")
    return found
