"""Settings of ingest-api."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import RedisSettings


class IngestSettings(BaseSettings):
    """Limits and defaults of ingest-api.

    Attributes:
        max_in_flight: commands that wait for Kafka; beyond it requests are 503.
        max_in_flight_bytes: serialized size of these commands together; likewise.
        default_wait_s: how long writes to /shipments wait for their outcome before they return 202, unless
            the client sends `Prefer: wait`.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="INGEST_", env_ignore_empty=True)

    max_in_flight: int = Field(default=20_000, ge=1000)
    max_in_flight_bytes: int = Field(default=32 * 1024 * 1024, ge=8 * 1024 * 1024)
    default_wait_s: float = Field(default=5.0, gt=0, le=30)


class Settings(BaseModel):
    """All settings of ingest-api; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings
    limits: LimitSettings
    kafka: KafkaSettings
    redis: RedisSettings
    ingest: IngestSettings
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
