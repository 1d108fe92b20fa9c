"""The origin of our pages, as links to them name it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import ValidationError

from httpkit.request.bodies import HTTP_SETTINGS
from httpkit.request.origins import is_secure, public_origin
from httpkit.response.errors import ApiError
from httpkit.settings import HttpSettings


def asked(headers: dict[str, str], **settings: object) -> web.Request:
    app = web.Application()
    app[HTTP_SETTINGS] = HttpSettings.model_validate(settings)
    return make_mocked_request("GET", "/", headers=headers, app=app)


FORWARDED = {"Host": "portal:8085", "X-Forwarded-Host": "rastreo.mx", "X-Forwarded-Proto": "https"}


def test_the_setting_wins() -> None:
    request = asked(FORWARDED, public_url="https://rastreo.example.mx/", trusted_proxies=1)
    assert public_origin(request) == "https://rastreo.example.mx"


@pytest.mark.parametrize(
    ("proto", "url", "secure"),
    [
        ("http", "https://rastreo.mx", True),
        ("https", "http://rastreo.mx", False),
        ("https", "", True),
        ("http", "", False),
    ],
)
def test_a_cookie_is_for_the_scheme_of_the_pages(proto: str, url: str, *, secure: bool) -> None:
    request = asked({**FORWARDED, "X-Forwarded-Proto": proto}, public_url=url, trusted_proxies=1)
    assert is_secure(request) is secure


def test_the_gateway_says_under_which_name_it_was_asked() -> None:
    request = asked(FORWARDED, trusted_proxies=1)
    assert (public_origin(request), is_secure(request)) == ("https://rastreo.mx", True)


def test_without_a_gateway_nobody_is_believed() -> None:
    request = asked(FORWARDED)
    assert (public_origin(request), is_secure(request)) == ("http://portal:8085", False)


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"Host": "portal"}, "http://portal"),
        ({"Host": "portal", "X-Forwarded-Proto": "javascript"}, "http://portal"),
        ({"Host": "a", "X-Forwarded-Host": "evil.example, rastreo.mx:8443"}, "http://rastreo.mx:8443"),
        ({"Host": "a", "X-Forwarded-Host": "me@rastreo.mx/path?#"}, "http://rastreo.mx"),
        ({"Host": "[::1]:8080"}, "http://[::1]:8080"),
    ],
)
def test_only_a_scheme_and_a_host_are_taken(headers: dict[str, str], origin: str) -> None:
    assert public_origin(asked(headers, trusted_proxies=1)) == origin


@pytest.mark.parametrize("host", ["a b", "[", "x:y", '"><script>'])
def test_a_host_that_is_none_is_rejected(host: str) -> None:
    with pytest.raises(ApiError):
        public_origin(asked({"Host": "rastreo.mx", "X-Forwarded-Host": host}, trusted_proxies=1))


@pytest.mark.parametrize(
    "url", ["rastreo.mx", "https://a.mx https://b.mx", "https://a.mx/track", "ftp://a.mx"]
)
def test_a_public_url_is_one_origin_of_the_web(url: str) -> None:
    with pytest.raises(ValidationError):
        HttpSettings(public_url=url)
