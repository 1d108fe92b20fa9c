"""The file that keeps profiles: JSON that its owner alone can read.

It holds tokens and API keys, never a password. It is replaced as a whole, so a command that is killed leaves
the old one or the new one.
"""

import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from platformdirs import user_config_path

from waybill.cli.errors import Misused

FORMAT: Final = 1
DEFAULT: Final = "default"

_IS_POSIX: Final = os.name == "posix"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Profile:
    """An address with credentials: a token, which ends, or an API key.

    Attributes:
        username: of the token; that of an API key is not known here.
        expires_at: end of the token.
    """

    name: str
    url: str
    username: str | None = None
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    api_key: str | None = field(default=None, repr=False)

    def has_ended(self, now: datetime) -> bool:
        """Return whether its token has ended."""
        return self.expires_at is not None and self.expires_at <= now

    def to_json(self) -> dict[str, str]:
        """Return what the file has of it."""
        ends = None if self.expires_at is None else self.expires_at.astimezone(UTC).isoformat()
        given = {
            "url": self.url,
            "username": self.username,
            "token": self.token,
            "expires_at": ends,
            "api_key": self.api_key,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles, by name.

    Attributes:
        current: name of the one that commands use unless they are told another.
    """

    current: str | None = None
    by_name: Mapping[str, Profile] = field(default_factory=dict)

    def with_profile(self, profile: Profile) -> "Profiles":
        """Return them with one more, or another of that name, as the current one."""
        return Profiles(profile.name, {**self.by_name, profile.name: profile})

    def without(self, name: str) -> "Profiles":
        """Return them without one of them."""
        rest = {each: profile for each, profile in self.by_name.items() if each != name}
        return Profiles(None if self.current == name else self.current, rest)

    def named(self, name: str) -> Profile:
        """Return one of them.

        Raises:
            Misused: there is none of that name.
        """
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise Misused(f"there is no profile {name} (there are: {known}); `waybill login` makes one")
        return self.by_name[name]


class ProfileStore:
    """The file of profiles."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_config_path("waybill", appauthor=False) / "profiles.json"

    def load(self) -> Profiles:
        """Read the file; one that does not exist has no profiles.

        Raises:
            Misused: others can read the file, or it is not one of ours.
        """
        try:
            with self.path.open(encoding="utf-8") as file:
                self._require_private(os.fstat(file.fileno()))
                return _profiles(json.load(file))
        except FileNotFoundError:
            return Profiles()
        except OSError as error:
            raise Misused(f"{self.path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Misused(f"{self.path} is no file of profiles: delete it and log in again") from error

    def save(self, profile: Profile) -> None:
        """Add or replace a profile, and make it the current one."""
        with self._changing() as profiles:
            self._write(profiles.with_profile(profile))

    def remove(self, name: str) -> None:
        """Remove a profile."""
        with self._changing() as profiles:
            self._write(profiles.without(profiles.named(name).name))

    def use(self, name: str) -> None:
        """Make a profile the current one."""
        with self._changing() as profiles:
            self._write(replace(profiles, current=profiles.named(name).name))

    @contextmanager
    def _changing(self) -> Iterator[Profiles]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self.path.with_suffix(".lock")):
                yield self.load()
        except OSError as error:
            raise Misused(f"{self.path} cannot be written: {error.strerror}") from error

    def _write(self, profiles: Profiles) -> None:
        body = {
            "format": FORMAT,
            "current": profiles.current,
            "profiles": {name: each.to_json() for name, each in sorted(profiles.by_name.items())},
        }
        # mkstemp makes a file of mode 600, and so the one that it becomes.
        number, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".profiles-")
        try:
            with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123  # a file descriptor
                json.dump(body, file, indent=2, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _require_private(self, status: os.stat_result) -> None:
        if not _IS_POSIX:  # the folder of a Windows user is private by its access list
            return
        if stat.S_IMODE(status.st_mode) & _OTHERS or status.st_uid not in (os.getuid(), 0):
            raise Misused(
                f"others can read {self.path}, which holds credentials: log in again after "
                f"`chmod 600 {self.path}`, and revoke what it holds if it was read"
            )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one command at a time change the file; on Windows the last one wins."""
    if not _IS_POSIX:
        yield
        return
    import fcntl  # noqa: PLC0415  # Windows has none

    number = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _profiles(body: dict[str, Any]) -> Profiles:
    if body["format"] != FORMAT:
        raise ValueError(f"format {body['format']}")
    return Profiles(
        body["current"],
        {str(name): _profile(str(name), each) for name, each in body["profiles"].items()},
    )


def _profile(name: str, body: dict[str, str]) -> Profile:
    ends = body.get("expires_at")
    return Profile(
        name,
        body["url"],
        body.get("username"),
        body.get("token"),
        None if ends is None else datetime.fromisoformat(ends),
        body.get("api_key"),
    )
