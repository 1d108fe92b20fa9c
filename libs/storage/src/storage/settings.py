"""Settings of the stores, read from the environment by the services."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MongoSettings(BaseSettings):
    """Where MongoDB is and how long to wait for it."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    uri: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", validation_alias="MONGO_URI")
    database: str = Field(default="shipping_system", validation_alias="MONGO_DB")
    timeout_s: float = Field(default=10.0, gt=0, validation_alias="MONGO_TIMEOUT_S")
    server_selection_timeout_s: float = Field(
        default=3.0, gt=0, validation_alias="MONGO_SERVER_SELECTION_TIMEOUT_S"
    )
    max_pool_size: int = Field(default=20, gt=0, validation_alias="MONGO_MAX_POOL_SIZE")


class RedisSettings(BaseSettings):
    """Where Redis is. It is a hint to all who use it, so they wait for it but briefly."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    address: str = Field(
        default="127.0.0.1:6379", pattern=r"^[^:\s]+:\d{1,5}$", validation_alias="REDIS_ADDR"
    )
    db: int = Field(default=0, ge=0, validation_alias="REDIS_DB")
    timeout_s: float = Field(default=0.25, gt=0, validation_alias="REDIS_TIMEOUT_S")

    @property
    def host(self) -> str:
        """The host part of the address."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The port part of the address."""
        return int(self.address.rpartition(":")[2])
