"""Settings of the processor."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from httpkit.settings import HttpSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import MongoSettings, RedisSettings


class LoopSettings(BaseSettings):
    """Settings of the consumer loop; see `messaging.consumer.consumer_settings.RuntimeSettings`.

    Attributes:
        group: consumer group; all processors of one Waybill have the same.
        group_instance: static member id that survives restarts; only for processes that are always restarted.
        max_batch: most records of a partition in one transaction.
        concurrency: batches in work at once, over all partitions of a process.
        cached_shipments: per partition.
        session_timeout_s: seconds without a heartbeat after which Kafka gives a process's partitions to
            others.
        drain_s: seconds that batches in work may take to end when a partition is given up, or at SIGTERM.
        stalled_after_s: seconds that records may wait without progress before the process ends itself, to be
            started again.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="PROCESSOR_", env_ignore_empty=True)

    group: str = "waybill-processor"
    group_instance: str | None = Field(default=None, min_length=1)
    # CPU of all processes, for an event of a filled topic on two cores: 130 µs with batches of 500 and
    # four at once, 116 with 1,000 and four, 101 with 1,000 and three, 101 with 2,000 and four.
    max_batch: int = Field(default=1000, ge=1, le=5000)
    concurrency: int = Field(default=3, ge=1)
    # Twelve partitions with 3,000 each held 21 MiB more than with 1,000. Most shipments are silent for hours:
    # only events within seconds hit the cache, with either.
    cached_shipments: int = Field(default=500, ge=1)
    session_timeout_s: float = Field(default=10.0, ge=6.0)
    drain_s: float = Field(default=8.0, gt=0)
    stalled_after_s: float = Field(default=120.0, gt=0)


class EarlyEventsSettings(BaseSettings):
    """Settings of events that come before the ones that make them legal (ADR 0024).

    Attributes:
        hold_hours: how long an early event is held, from its acceptance on; 0: not at all. A change concerns
            events that are judged after it.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="EARLY_EVENTS_", env_ignore_empty=True)

    hold_hours: float = Field(default=24.0, ge=0.0, le=8760.0)

    @property
    def hold(self) -> timedelta | None:
        """Duration of a hold, in whole seconds; None if nothing is held."""
        seconds = round(self.hold_hours * 3600)
        return timedelta(seconds=seconds) if seconds else None


class Settings(BaseModel):
    """Settings tree; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    kafka: KafkaSettings
    mongo: MongoSettings
    redis: RedisSettings
    loop: LoopSettings
    early_events: EarlyEventsSettings = Field(default_factory=EarlyEventsSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
