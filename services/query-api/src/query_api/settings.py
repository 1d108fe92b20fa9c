"""Settings of the query API: one frozen tree, read from the environment by `__main__`."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from httpkit.settings import AuthSettings, HttpSettings, ServiceSettings
from messaging.settings import KafkaSettings
from storage.settings import MongoSettings, RedisSettings


class PasswordSettings(BaseSettings):
    """How passwords are hashed.

    Attributes:
        bcrypt_cost: each step doubles the time a hash takes: 12 is a quarter of a second.
        bcrypt_threads: how many are hashed at once; the rest waits.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    bcrypt_cost: int = Field(default=12, ge=10, le=16)
    bcrypt_threads: int = Field(default=2, ge=1, le=64)


class ReadingMongoSettings(MongoSettings):
    """MongoDB for those who answer people: a read that takes longer than this is not waited for."""

    timeout_s: float = Field(default=3.0, gt=0, validation_alias="MONGO_TIMEOUT_S")


class Settings(BaseModel):
    """Everything the query API can be told; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings
    passwords: PasswordSettings
    mongo: ReadingMongoSettings
    redis: RedisSettings
    kafka: KafkaSettings
