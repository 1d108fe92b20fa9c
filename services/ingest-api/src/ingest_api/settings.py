"""Settings of ingest-api."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import RedisSettings


class IngestSettings(BaseSettings):
    """What ingest-api takes on.

    Attributes:
        max_in_flight: commands that wait for Kafka; more are answered with 503.
        max_in_flight_bytes: of these commands together, as they are written; likewise.
        default_wait_s: how long writes to /shipments wait for their outcome before they answer 202, where
            the client does not say (`Prefer: wait`).
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="INGEST_", env_ignore_empty=True)

    max_in_flight: int = Field(default=20_000, ge=1000)
    max_in_flight_bytes: int = Field(default=32 * 1024 * 1024, ge=8 * 1024 * 1024)
    default_wait_s: float = Field(default=5.0, gt=0, le=30)


class Settings(BaseModel):
    """All of them; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings
    limits: LimitSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ingest: IngestSettings
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
