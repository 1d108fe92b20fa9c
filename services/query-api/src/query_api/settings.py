"""Settings of query-api: one frozen tree, read from the environment by `__main__`."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.access.lockout import LockPolicies, LockPolicy
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings, StreamSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import MongoSettings, RedisSettings


class PasswordSettings(BaseSettings):
    """Password hashing.

    Attributes:
        bcrypt_cost: each step doubles the time of a hash; 12 takes a quarter of a second.
        bcrypt_threads: number of concurrent hashes; more wait.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    bcrypt_cost: int = Field(default=12, ge=10, le=16)
    bcrypt_threads: int = Field(default=2, ge=1, le=64)


class LoginSettings(BaseSettings):
    """Locks after failed logins: `LOGIN_FREE_FAILURES` and so on.

    Attributes:
        free_failures: failures of one user from one address; the last of them locks for a second, each
            further one for twice as long.
        free_failures_per_user: likewise from all addresses, except those the user has logged in from.
        free_failures_per_address: likewise of all users of one address.
        longest_lock_s: the longest lock.
        memory_s: failures expire when there was none for so long.
        revocation_heal_s: interval in which revocations are republished to Redis.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="LOGIN_", env_ignore_empty=True)

    free_failures: int = Field(default=5, ge=1, le=1_000)
    free_failures_per_user: int = Field(default=100, ge=1, le=100_000)
    free_failures_per_address: int = Field(default=100, ge=1, le=100_000)
    longest_lock_s: float = Field(default=900.0, ge=1, le=86_400)
    memory_s: float = Field(default=3_600.0, ge=1, le=604_800)
    revocation_heal_s: float = Field(default=30.0, gt=0, le=60)

    def policies(self) -> LockPolicies:
        """Return the rules of the three counters."""
        pair, user, address = (
            LockPolicy(free=free, longest_s=self.longest_lock_s, memory_s=self.memory_s)
            for free in (self.free_failures, self.free_failures_per_user, self.free_failures_per_address)
        )
        return LockPolicies(pair=pair, user=user, address=address)


class HealthSettings(BaseSettings):
    """Checks of `/health` beyond the stores.

    Attributes:
        event_age_limit_s: an event that has waited longer to be applied, or a group without a processor for
            longer, means down. Longer than the replacement of a processor takes.
        ingest_upstreams: replicas of ingest-api as `host:port`, separated by spaces, as in the gateway. One
            that is ready is enough. Empty: none is checked.
        processor_group: the consumer group of the processors.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    event_age_limit_s: float = Field(
        default=30.0, ge=1, le=3_600, validation_alias="HEALTH_EVENT_AGE_LIMIT_S"
    )
    ingest_upstreams: str = Field(
        default="", pattern=r"^\s*([^\s:/]+:[0-9]{1,5}\s*)*$", validation_alias="INGEST_UPSTREAMS"
    )
    processor_group: str = Field(default="waybill-processor", validation_alias="PROCESSOR_GROUP")


class ReadingMongoSettings(MongoSettings):
    """Settings of MongoDB for interactive reads, with a short timeout."""

    timeout_s: float = Field(default=3.0, gt=0, validation_alias="MONGO_TIMEOUT_S")


class Settings(BaseModel):
    """All settings of query-api; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings
    passwords: PasswordSettings
    logins: LoginSettings
    limits: LimitSettings
    mongo: ReadingMongoSettings
    redis: RedisSettings
    kafka: KafkaSettings
    streams: StreamSettings = Field(default_factory=StreamSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
