"""Settings of ingest-api."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from httpkit.settings import AuthSettings, HttpSettings, ServiceSettings
from messaging.settings import KafkaSettings
from storage.settings import RedisSettings


class IngestSettings(BaseSettings):
    """What ingest-api takes on.

    Attributes:
        max_in_flight: commands that wait for Kafka; more are answered with 503.
        creation_wait_s: how long POST /shipments waits for its outcome before it answers 202.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="INGEST_", env_ignore_empty=True)

    max_in_flight: int = Field(default=20_000, ge=1000)
    creation_wait_s: float = Field(default=5.0, gt=0, le=30)


class Settings(BaseSettings):
    """All of them."""

    model_config = SettingsConfigDict(frozen=True)

    service: ServiceSettings = Field(default_factory=ServiceSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    auth: AuthSettings
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    ingest: IngestSettings = Field(default_factory=IngestSettings)
