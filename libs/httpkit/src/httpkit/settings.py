"""Settings of HTTP servers: address and bounds, token signing, rate limits."""

import re
from ipaddress import ip_address
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from servicekit.settings import FROZEN, Environment

MIN_SECRET_BYTES: Final = 32
MIN_SECRET_VARIETY: Final = 10
_THIS_MACHINE: Final = "localhost"
_KNOWN_SECRET_PARTS: Final = (
    "change-me",
    "change_me",
    "changeme",
    "default",
    "development",
    "do-not-use",
    "example",
    "insecure",
    "password",
    "your-secret",
    "your_secret",
)


class HttpSettings(BaseSettings):
    """Address and bounds of the server: `HOST`, `PORT` and limits on what clients may use.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0: any free one.
        body_limit_bytes: no route reads a longer body.
        head_timeout_s: a connection whose first head takes longer is closed.
        body_timeout_s: a body that takes longer is rejected (aiohttp would wait for ever).
        write_timeout_s: a client that reads nothing of its response for that long, or up to twice, is
            disconnected.
        half_read_limit_bytes: bound of all bodies that are being received, together; beyond it they are 503.
        keepalive_timeout_s: an idle connection is closed after that; the gateway closes what it does not need
            much sooner, within seconds.
        shutdown_timeout_s: how long requests in flight may take to finish after SIGTERM.
        cors_origins: origins whose pages may call the API from a browser, separated by commas; none by
            default, and never all.
        trusted_proxies: number of our proxies in front, each appending to `X-Forwarded-For`.
        env: development has users with well-known passwords, so it is for this machine alone.
        public_bind: the address that the operator has chosen for the gateway, where that is not `host`.
        public_domain: the domain of the gateway, if it has one.
        public_url: scheme and host of the pages, such as https://rastreo.example.mx; empty: as the request
            came through the gateway.
    """

    model_config = FROZEN

    env: Environment = Environment.PRODUCTION
    public_bind: str | None = Field(default=None, validation_alias="WAYBILL_BIND")
    public_domain: str | None = Field(default=None, validation_alias="WAYBILL_DOMAIN")
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    body_limit_bytes: int = Field(default=2 * 1024 * 1024, ge=1024)
    head_timeout_s: float = Field(default=10.0, gt=0)
    body_timeout_s: float = Field(default=10.0, gt=0)
    write_timeout_s: float = Field(default=30.0, gt=0)
    half_read_limit_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    keepalive_timeout_s: float = Field(default=75.0, gt=0)
    shutdown_timeout_s: float = Field(default=10.0, gt=0)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: object) -> object:
        return origins_of(value) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _require_one_origin(cls, value: str) -> str:
        origins = origins_of(value.rstrip("/"))
        if not value.strip():
            return ""
        if len(origins) != 1 or not value.startswith(("http://", "https://")):
            raise ValueError("must be one origin, such as https://rastreo.example.mx")
        return origins[0]

    @model_validator(mode="after")
    def _reject_exposed_development(self) -> Self:
        if self.env is Environment.DEVELOPMENT:
            exposure = exposure_of(self.public_domain, self.public_bind, self.host)
            if exposure is not None:
                raise ValueError(
                    f"ENV: development lets in users whose password everybody knows, and {exposure}: "
                    "set ENV=production, or WAYBILL_BIND=127.0.0.1 and no WAYBILL_DOMAIN"
                )
        return self


class AuthSettings(BaseSettings):
    """Signing of tokens: `JWT_SECRET` (no default), issuer and audience.

    Attributes:
        jwt_secret: key that signs tokens (HS256), at least 32 random bytes, the same for all services; no
            default.
        jwt_kid: name of the signing key, as in the header of each token.
        jwt_retired_secrets: JSON object of older keys by name: they verify, but no longer sign. Rotate by
            moving the old pair here, and drop it after `jwt_ttl_s`.
        jwt_issuer: claim `iss` of each token; a token with another one is refused.
        jwt_audience: claim `aud` of each token; a token with another one is refused.
        jwt_ttl_s: lifetime of a token; at most as long as `make admin`, which does not know this setting,
            retains revocations.
        jwt_revocation_poll_s: interval in which a replica polls the revoked tokens.
        jwt_revocation_stale_s: when ingest-api has not been able to poll for so long, it accepts only tokens
            that are younger than that. At the lifetime of tokens or more, it accepts all.
    """

    model_config = FROZEN

    env: Environment = Environment.PRODUCTION
    jwt_secret: SecretStr
    jwt_kid: str = Field(default="1", min_length=1, max_length=64)
    jwt_retired_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    jwt_issuer: str = Field(default="waybill", min_length=1)
    jwt_audience: str = Field(default="waybill", min_length=1)
    jwt_ttl_s: int = Field(default=86_400, ge=60, le=2_592_000)
    jwt_revocation_poll_s: float = Field(default=5.0, gt=0, le=30)
    jwt_revocation_stale_s: float = Field(default=120.0, ge=1)

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Self:
        if self.env is Environment.DEVELOPMENT:
            return self
        named = {"JWT_SECRET": self.jwt_secret}
        named |= {f"JWT_RETIRED_SECRETS/{kid}": secret for kid, secret in self.jwt_retired_secrets.items()}
        for name, secret in named.items():
            weakness = weakness_of(secret.get_secret_value())
            if weakness is not None:
                raise ValueError(f"{name}: {weakness}")
        return self


class LimitSettings(BaseSettings):
    """Rate limits of callers: `LIMIT_INGEST_PER_S` and so on.

    Attributes:
        ingest_per_s: writes of a user; each 4 KiB of a body count as one.
        reads_per_s: reads of a user.
        shipment_per_hour: events of one shipment that a user may send, and fifty more at each replica.
        address_per_s: requests of an address without a valid token.
        login_per_min: login attempts from an address, successful ones too; failures lock much sooner.
        public_per_min: requests of an address for shipments without a token; one that finds nothing counts
            as ten.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="LIMIT_", env_ignore_empty=True)

    ingest_per_s: int = Field(default=5_000, ge=1, le=1_000_000)
    reads_per_s: int = Field(default=2_000, ge=1, le=1_000_000)
    shipment_per_hour: int = Field(default=1_000, ge=1, le=1_000_000)
    address_per_s: int = Field(default=500, ge=1, le=1_000_000)
    login_per_min: int = Field(default=300, ge=1, le=1_000_000)
    public_per_min: int = Field(default=600, ge=10, le=1_000_000)


class StreamSettings(BaseSettings):
    """Bounds of event streams: `STREAMS_PER_ADDRESS` and so on.

    Attributes:
        per_address: streams that an address may have open at a replica; more are 503.
        per_replica: streams that a replica may have open; more are 503. Each takes about 30 KiB here,
            and 7 in the gateway, which has those of all replicas, and two files for each.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="STREAMS_", env_ignore_empty=True)

    per_address: int = Field(default=200, ge=1, le=1_000_000)
    per_replica: int = Field(default=12_000, ge=1, le=1_000_000)


def exposure_of(domain: str | None, bind: str | None, host: str) -> str | None:
    """Return what exposes the server to other machines, or None.

    Args:
        domain: the public domain, if there is one.
        bind: address of the gateway, as the operator has chosen it; it takes precedence over `host`.
        host: address of this process.
    """
    if domain and domain.partition(":")[0] != _THIS_MACHINE:
        return f"WAYBILL_DOMAIN={domain} leads here"
    name, address = ("WAYBILL_BIND", bind) if bind else ("HOST", host)
    if address == _THIS_MACHINE:
        return None
    try:
        is_here = ip_address(address.strip("[]")).is_loopback
    except ValueError:  # a host name, which may resolve to any address
        is_here = False
    return None if is_here else f"{name}={address} is open to others"


def weakness_of(secret: str) -> str | None:
    """Return what makes `secret` unfit to sign tokens, or None."""
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"must be at least {MIN_SECRET_BYTES} bytes outside development"
    if any(part in secret.lower() for part in _KNOWN_SECRET_PARTS):
        return "is a known default; outside development set a random one (openssl rand -hex 32)"
    if len(set(secret)) < MIN_SECRET_VARIETY:
        return f"must have at least {MIN_SECRET_VARIETY} different characters outside development"
    return None


_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*+://(?:[a-z0-9._-]++|\[[0-9a-f:.]++\])(?::[1-9][0-9]{0,4})?")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def origins_of(text: str) -> tuple[str, ...]:
    """Parse a list of origins, separated by commas or blanks.

    Raises:
        ValueError: one is not in the form that browsers send, or is a wildcard.
    """
    origins = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for origin in origins:
        scheme = origin.partition(":")[0]
        if _ORIGIN.fullmatch(origin) is None or origin.endswith(_DEFAULT_PORTS.get(scheme, "/")):
            raise ValueError(
                f"{origin!r} is no origin: write https://app.example.com, in lower case, without a path, "
                "the default port or *"
            )
    return origins
