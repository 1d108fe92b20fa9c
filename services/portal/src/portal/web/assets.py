"""Files of the pages under hashed names, so that browsers keep them for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from aiohttp import hdrs, web

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from portal.settings import PortalSettings
from portal.web.brand import stylesheet

TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
ICON: Final = "icon.svg"
FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.

    Attributes:
        path: its address, with the hash of its content.
    """

    path: str
    content_type: str
    body: bytes


class Assets:
    """All files, by names such as `waybill.css` and by hashed names."""

    def __init__(self, bodies: Mapping[str, bytes]) -> None:
        self._by_name = {name: _asset_of(name, body) for name, body in bodies.items()}

    def path(self, name: str) -> str:
        """Return the address of a file.

        Raises:
            KeyError: there is no such file.
        """
        return self._by_name[name].path

    def find(self, hashed_name: str) -> tuple[Asset, bool] | None:
        """Return a file by the last part of its address, and whether the hash is that of its content.

        While replicas are replaced, a page of one may ask another for its files: it gets its own.
        """
        stem, _, rest = hashed_name.partition(".")
        asset = self._by_name.get(f"{stem}.{rest.partition('.')[2]}")
        if asset is None:
            return None
        return asset, asset.path.endswith(f"/{hashed_name}")


ASSETS: Final = web.AppKey("assets", Assets)


def load_assets(settings: PortalSettings) -> Assets:
    """Read the packaged files and those of the brand: `brand.css`, and `logo.svg` or `logo.png`."""
    bodies = {
        each.name: each.read_bytes()
        for each in files("portal").joinpath("assets").iterdir()
        if _suffix(each.name) in TYPES
    }
    bodies[ICON] = bodies[ICON].replace(b"#0b5cad", settings.accent.encode())
    bodies["brand.css"] = stylesheet(settings.accent).encode()
    if settings.logo is not None:
        bodies[f"logo{settings.logo.suffix}"] = settings.logo.read_bytes()
    return Assets(bodies)


async def get_asset(request: web.Request) -> web.Response:
    """Return a file."""
    found = request.app[ASSETS].find(request.match_info["name"])
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, "there is no such file")
    asset, is_current = found
    charset = None if asset.content_type.startswith("image/") else "utf-8"
    caching = FOR_EVER if is_current else "no-cache"
    return web.Response(
        body=asset.body,
        content_type=asset.content_type,
        charset=charset,
        headers={hdrs.CACHE_CONTROL: caching},
    )


def _asset_of(name: str, body: bytes) -> Asset:
    stem, _, rest = name.partition(".")
    tag = blake2b(body, digest_size=8).hexdigest()
    return Asset(f"/assets/{stem}.{tag}.{rest}", TYPES[_suffix(name)], body)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
