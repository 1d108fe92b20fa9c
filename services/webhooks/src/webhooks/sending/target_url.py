"""URLs that an endpoint may have. Names are judged when they are connected to, addresses at once."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from yarl import URL

from webhooks.sending.address_guard import AddressGuard

PLAIN: Final = "http"
_SCHEMES: Final = ("https", PLAIN)
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_LONGEST_NAME: Final = 253
# Resolvers read such a name as an address: 127.1, 2130706433, 0x7f.1.
_NUMBER_AT_THE_END: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)


def url_problem(url: str, guard: AddressGuard) -> str | None:
    """Return the reason for which `url` cannot be an endpoint's, fit for an API's client; None if it can."""
    if any(each.isspace() or not each.isprintable() for each in url):
        return "must not have spaces, or characters that are not seen"
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        return "not a URL"
    if parsed.scheme not in _SCHEMES or not host:
        return "must be a URL that begins with https://"
    if "@" in urlsplit(url).netloc:
        return "must not have a user or a password"
    if not port:
        return "not a port"
    plain = parsed.scheme == PLAIN
    return _host_problem(host, guard, plain=plain)


def _host_problem(host: str, guard: AddressGuard, *, plain: bool) -> str | None:
    try:
        ip_address(host)
    except ValueError:
        return _name_problem(host, guard, plain=plain)
    if guard.permits(host, plain=plain):
        return None
    if plain and guard.permits(host, plain=False):
        return "must begin with https://"
    return "the address is not allowed"


def _name_problem(name: str, guard: AddressGuard, *, plain: bool) -> str | None:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or _NUMBER_AT_THE_END.fullmatch(name):
        return "the host is not a name or an address"
    if plain and not guard.allows_networks:
        return "must begin with https://"
    return None
