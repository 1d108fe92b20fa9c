"""Address and credentials of the Waybill that a command calls.

In this order: the profile that `--profile` or `WAYBILL_PROFILE` names; the credentials of the environment,
at `--url` or `WAYBILL_URL`; the current profile. Credentials of a profile go to its own address alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from waybill import transport
from waybill.cli.errors import Misused
from waybill.cli.profiles.store import Profile, Profiles

URL: Final = "WAYBILL_URL"
USER: Final = "WAYBILL_USER"
PASSWORD: Final = "WAYBILL_PASSWORD"  # noqa: S105  # the name of a variable
API_KEY: Final = "WAYBILL_API_KEY"
PROFILE: Final = "WAYBILL_PROFILE"

DEFAULT_URL: Final = "http://localhost:8080"


@dataclass(frozen=True, slots=True)
class Access:
    """An address, and one kind of credentials or none.

    Attributes:
        profile: name of the profile that it is of; None if it is of the environment.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    profile: str | None = None


def address(url: str) -> str:
    """Return an address in the form in which profiles keep it, such as https://waybill.example.

    Raises:
        Misused: it is none of http or https, or has credentials, a query or a fragment.
    """
    try:
        return str(transport.address_of(url))
    except ValueError as error:
        raise Misused(str(error)) from None


def address_of(url: str | None, environment: Mapping[str, str]) -> str:
    """Return the address that an option or the environment gives, or the one of a stack on this machine."""
    return address(url or environment.get(URL) or DEFAULT_URL)


def access_of(
    url: str | None, profile: str | None, environment: Mapping[str, str], profiles: Profiles
) -> Access:
    """Return whom to call, and as whom.

    Args:
        url: of the option.
        profile: of the option.
        environment: of the process.
        profiles: as stored.

    Raises:
        Misused: no credentials, credentials for another address, or of a login that has ended.
    """
    if profile or environment.get(PROFILE):
        return _of_profile(profiles.named(str(profile or environment.get(PROFILE))), url)
    key, user, password = (environment.get(name) for name in (API_KEY, USER, PASSWORD))
    if key:
        return Access(address_of(url, environment), api_key=key)
    if user and password:
        return Access(address_of(url, environment), username=user, password=password)
    if user or password:
        raise Misused(f"{USER} and {PASSWORD} go together: {PASSWORD if user else USER} is missing")
    if profiles.current is None:
        raise Misused(f"no credentials: run `waybill login`, or set {API_KEY}, or {USER} and {PASSWORD}")
    return _of_profile(profiles.named(profiles.current), url or environment.get(URL))


def _of_profile(profile: Profile, url: str | None) -> Access:
    if url and address(url) != profile.url:
        raise Misused(
            f"the profile {profile.name} is for {profile.url}, and no credentials are set for {address(url)}"
        )
    if profile.has_ended(datetime.now(UTC)):
        raise Misused(f"the login of the profile {profile.name} has ended: run {login_again(profile.name)}")
    return Access(profile.url, api_key=profile.api_key, token=profile.token, profile=profile.name)


def login_again(profile: str) -> str:
    """Return the command that renews a profile."""
    return f"`waybill login --profile {profile}`"
