"""Handlers of /, /openapi.json and /docs: entry points, OpenAPI document, Swagger UI."""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.helpers import ETAG_ANY

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError

PACKAGE: Final = "flask-swagger-ui"
FOLDER: Final = "flask_swagger_ui/dist"
ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
"""Swagger UI, as files of the package; its code, which imports Flask, is not used."""
PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Waybill</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START_NAME: Final = "start.js"
START: Final = b"""SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
BEGINNING: Final = {"name": "Waybill", "docs": "/docs", "openapi": "/openapi.json", "health": "/health"}
# No inline script, no other origin. Swagger UI writes style attributes and has its icons in data URLs.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURED: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def get_start(request: web.Request) -> web.Response:
    """Redirect a browser to the page; return the entry points to a program."""
    vary = {str(hdrs.VARY): str(hdrs.ACCEPT)}
    if any("text/html" in value for value in request.headers.getall(hdrs.ACCEPT, ())):
        return web.Response(
            status=web.HTTPFound.status_code, headers={hdrs.LOCATION: "/docs", **vary, **SECURED}
        )
    return web.json_response(BEGINNING, headers=vary)


async def get_contract(request: web.Request) -> web.Response:
    """Return the OpenAPI document of all services; 304 if the caller has it."""
    return _conditional_response(request, _document(), "application/json", {})


async def get_docs(request: web.Request) -> web.Response:
    """Return the documentation page."""
    return _conditional_response(request, PAGE, "text/html", SECURED)


async def get_docs_asset(request: web.Request) -> web.Response:
    """Return a file of the documentation page."""
    name = request.match_info["asset"]
    if name == START_NAME:
        return _conditional_response(request, START, "text/javascript", SECURED)
    content_type = ASSETS.get(name)
    if content_type is None:
        raise ApiError(ErrorCode.NOT_FOUND, "the page has no such file")
    return _conditional_response(request, _asset(name), content_type, SECURED)


@cache
def _document() -> bytes:
    return files("query_api").joinpath("openapi.json").read_bytes()


@cache
def _asset(name: str) -> bytes:
    return Path(str(distribution(PACKAGE).locate_file(f"{FOLDER}/{name}"))).read_bytes()


@cache
def _tag_of(body: bytes) -> str:
    return blake2b(body, digest_size=12).hexdigest()


def _conditional_response(
    request: web.Request, body: bytes, content_type: str, headers: Mapping[str, str]
) -> web.Response:
    tag = _tag_of(body)
    # Revalidated each time, at the price of a 304, so that nobody reads an outdated document.
    sent = {hdrs.ETAG: f'"{tag}"', hdrs.CACHE_CONTROL: "no-cache", **headers}
    if any(each.value in (tag, ETAG_ANY) for each in request.if_none_match or ()):
        return web.Response(status=web.HTTPNotModified.status_code, headers=sent)
    charset = None if content_type.startswith("image/") else "utf-8"
    return web.Response(body=body, content_type=content_type, charset=charset, headers=sent)
