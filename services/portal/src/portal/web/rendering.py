"""Rendering of pages: a template and one dataclass each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web
from jinja2 import Environment, PackageLoader, StrictUndefined

from portal.settings import PortalSettings
from portal.web.assets import Assets
from portal.web.labels import filters_of
from portal.web.languages import LANG, Language, chosen_language, language_of, languages, page_of


@dataclass(frozen=True, slots=True)
class Frame:
    """The surroundings of a page, as the base templates show them.

    Attributes:
        brand: name of the brand.
        logo: address of its logo, if it has one.
        language: of the page.
        languages: all of them, for the switch.
        chosen: code of the language that the address names; None: the browser decides.
        path: of the page, without its query.
        query: of the page, without the language.
    """

    brand: str
    logo: str | None
    language: Language
    languages: tuple[Language, ...]
    chosen: str | None
    path: str
    query: tuple[tuple[str, str], ...]

    def link(self, path: str, **query: str | int | None) -> str:
        """Return an address of another page; the chosen language is kept."""
        known = {name: str(value) for name, value in query.items() if value is not None}
        return _address(path, known if self.chosen is None else {LANG: self.chosen, **known})

    def in_language(self, code: str) -> str:
        """Return the address of this page in another language."""
        return _address(self.path, {**dict(self.query), LANG: code})


class Renderer:
    """Templates in all languages."""

    def __init__(self, settings: PortalSettings, assets: Assets) -> None:
        self._name = settings.name
        self._logo = None if settings.logo is None else assets.path(f"logo{settings.logo.suffix}")
        self._environments = {code: _environment(language, assets) for code, language in languages().items()}

    def frame(self, request: web.Request) -> Frame:
        """Return the surroundings of a page."""
        page, elsewhere = page_of(request), request.get(PAGE_PATH)
        query = tuple((name, value) for name, value in page.query.items() if name != LANG)
        return Frame(
            brand=self._name,
            logo=self._logo,
            language=language_of(request),
            languages=tuple(languages().values()),
            chosen=chosen_language(request),
            path=elsewhere or page.path,
            query=() if elsewhere else query,
        )

    def text(self, frame: Frame, template: str, view: object, console: object = None) -> str:
        """Return a page as HTML; the template sees `frame`, `link`, `view` and `console`."""
        environment = self._environments[frame.language.code]
        page = environment.get_template(template)
        return page.render(frame=frame, link=frame.link, view=view, console=console)


PAGE_PATH: Final = web.RequestKey("page_path", str)
"""Address of a page, where that is not the address of the request: other languages are there."""
RENDERER: Final = web.AppKey("renderer", Renderer)
CONSOLE: Final = web.RequestKey("console", object)
"""What the console adds to the surroundings of its pages; nobody is logged in without it."""


def frame_of(request: web.Request) -> Frame:
    """Return the surroundings of the page that a request asks for."""
    return request.app[RENDERER].frame(request)


def render(
    request: web.Request,
    template: str,
    view: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return a page in the language of its reader.

    Args:
        request: asks for it.
        template: path below `templates/`.
        view: the dataclass that the template shows.
        status: of the response.
        headers: added to it.
    """
    renderer = request.app[RENDERER]
    frame = renderer.frame(request)
    about: dict[str, str] = {
        hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
        hdrs.CONTENT_LANGUAGE: frame.language.tag,
    }
    return web.Response(
        text=renderer.text(frame, template, view, request.get(CONSOLE)),
        status=status,
        content_type="text/html",
        headers={**about, **(headers or {})},
    )


def _environment(language: Language, assets: Assets) -> Environment:
    environment = Environment(
        loader=PackageLoader("portal"),
        autoescape=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        language.gettext, language.ngettext, newstyle=True
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals["asset"] = assets.path
    environment.filters.update(filters_of(language))
    return environment


def _address(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
