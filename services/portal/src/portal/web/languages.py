"""Languages of the pages: English is the source of all messages, the others are catalogues of Babel."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from aiohttp import hdrs, web
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from yarl import URL

from httpkit.request.header_fields import joined, split

LANG: Final = "lang"
LOCALES: Final[Mapping[str, str]] = {"es": "es_MX", "en": "en", "pt": "pt_BR"}
"""Locale of each language, in the order of the switch."""
DEFAULT: Final = "en"
LONGEST_HEADER: Final = 200
_WEIGHT: Final = re.compile(r"[01](?:\.[0-9]{0,3})?")


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages.

    Attributes:
        code: as in `?lang=`.
        locale: formats of dates and numbers.
        messages: texts by their English source.
    """

    code: str
    locale: Locale
    messages: NullTranslations

    @property
    def tag(self) -> str:
        """The tag of BCP 47, as HTML and HTTP name it."""
        return str(self.locale).replace("_", "-")

    @property
    def name(self) -> str:
        """The language's name for itself."""
        name = self.locale.languages[self.locale.language]
        return str(name[:1].upper() + name[1:])

    def gettext(self, source: str) -> str:
        """Return the text of an English source."""
        return str(self.messages.gettext(source))

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the text for `count`."""
        return str(self.messages.ngettext(one, many, count))


def message(source: str) -> str:
    """Mark a text as a message, for the catalogues; it is translated where it is shown."""
    return source


@cache
def languages() -> Mapping[str, Language]:
    """Return all languages by their codes."""
    return {
        code: Language(code, Locale.parse(locale), _read_catalogues(locale))
        for code, locale in LOCALES.items()
    }


def language_of(request: web.Request) -> Language:
    """Return the language of a request: `?lang=`, or the best of `Accept-Language`, or English."""
    known = languages()
    chosen = chosen_language(request)
    if chosen is not None:
        return known[chosen]
    header = joined(request.headers.getall(hdrs.ACCEPT_LANGUAGE, ())) or ""
    return known[_best_of(header)]


def chosen_language(request: web.Request) -> str | None:
    """Return the code that the address names, for a form that of its page; None: the browser decides."""
    given = page_of(request).query.get(LANG)
    return given if given in LOCALES else None


def page_of(request: web.Request) -> URL:
    """Return path and query of the page that is shown: for a form, those of the page that it is on."""
    if request.method != hdrs.METH_POST:
        return request.rel_url
    try:
        sent_from = URL(request.headers.get(hdrs.REFERER, "")).relative()
    except ValueError:
        return request.rel_url
    return sent_from


def _best_of(header: str) -> str:
    best, weight = DEFAULT, 0.0
    if len(header) > LONGEST_HEADER:
        return best
    for element in split(header, ","):
        tag, _, parameter = element.partition(";")
        code, quality = tag.strip().lower().split("-")[0], _quality_of(parameter)
        if code in LOCALES and quality > weight:
            best, weight = code, quality
    return best


def _quality_of(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    is_weight = name.strip().lower() == "q" and _WEIGHT.fullmatch(value.strip()) is not None
    return float(value) if is_weight else 0.0


def _read_catalogues(locale: str) -> NullTranslations:
    if locale == LOCALES[DEFAULT]:
        return NullTranslations()
    found = Translations()
    for each in files("portal").joinpath("locales", locale).iterdir():
        compiled = BytesIO()
        with each.open("rb") as source:
            write_mo(compiled, read_po(source, locale=locale))
        compiled.seek(0)
        found.merge(Translations(compiled))
    return found
