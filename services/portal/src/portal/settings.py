"""Settings of the portal."""

import re
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from httpkit.settings import HttpSettings, LimitSettings, StreamSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import MongoSettings, RedisSettings

LOGO_TYPES: Final = (".svg", ".png")
LONGEST_LOGO_BYTES: Final = 64 * 1024
_URL: Final = re.compile(r"https?://[^\s/?#@]+")


class PortalSettings(BaseSettings):
    """Brand of the pages and addresses of other services: `PORTAL_NAME` and so on.

    Attributes:
        name: name of the brand, on every page.
        logo: path of an SVG or PNG file of at most 64 kB; none by default, then the name stands alone.
        accent: colour of the brand, as `#rrggbb`; where it could not be read, a darker or lighter shade.
        time_zone: zone of shipments whose times came without an offset, such as `America/Mexico_City`.
        api_url: address of the API, for the console: the gateway.
        prometheus_url: Prometheus for the console's overview; empty: the services' own metrics.
        metrics_targets: addresses of the services' metrics, separated by commas.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="PORTAL_", env_ignore_empty=True)

    name: str = Field(default="Waybill", min_length=1, max_length=60)
    logo: Path | None = None
    accent: str = Field(default="#0b5cad", pattern=r"^#[0-9a-fA-F]{6}$")
    time_zone: ZoneInfo = ZoneInfo("UTC")
    api_url: str = Field(default="http://127.0.0.1:8080", pattern=_URL.pattern)
    prometheus_url: str = ""
    metrics_targets: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("metrics_targets", mode="before")
    @classmethod
    def _read_targets(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("logo")
    @classmethod
    def _require_logo(cls, logo: Path | None) -> Path | None:
        if logo is None:
            return None
        if logo.suffix not in LOGO_TYPES:
            raise ValueError(f"must be a file of {' or '.join(LOGO_TYPES)}")
        if not logo.is_file() or logo.stat().st_size > LONGEST_LOGO_BYTES:
            raise ValueError(f"must be a file of at most {LONGEST_LOGO_BYTES} bytes")
        return logo


class Settings(BaseModel):
    """All settings of the portal; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    limits: LimitSettings
    kafka: KafkaSettings
    mongo: MongoSettings
    redis: RedisSettings
    portal: PortalSettings
    streams: StreamSettings = Field(default_factory=StreamSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)


SETTINGS: Final = web.AppKey("settings", Settings)
