"""Settings of the stores, read from the environment by the services."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LONGEST_SEGMENT_DAYS: Final = 7
_DAY_HOURS: Final = 24
_REJECTED_RETENTION_DAYS: Final = 30


class MongoSettings(BaseSettings):
    """Address, credentials and timeouts of MongoDB.

    Attributes:
        uri: may hold the user, the password and any option of the driver.
        database: name of the database.
        username: of the service, if `uri` has none; needs a password.
        password: password of `username`.
        timeout_s: longest wait in seconds for any call, retries included, and for a greeting.
        server_selection_timeout_s: longest wait in seconds for a server that can take a call, as after a
            fail-over.
        max_pool_size: most connections to each server.
        tls_ca_file: authority of the servers' certificates; it, or `tls=true` in the address, turns TLS on.
        tls_cert_key_file: client certificate and key in one file, for servers that ask for one.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    uri: str = Field(default="mongodb://127.0.0.1:27017/?replicaSet=rs0", validation_alias="MONGO_URI")
    database: str = Field(default="shipping_system", validation_alias="MONGO_DB")
    username: str | None = Field(default=None, validation_alias="MONGO_USERNAME")
    password: SecretStr | None = Field(default=None, validation_alias="MONGO_PASSWORD")
    timeout_s: float = Field(default=10.0, gt=0, validation_alias="MONGO_TIMEOUT_S")
    server_selection_timeout_s: float = Field(
        default=3.0, gt=0, validation_alias="MONGO_SERVER_SELECTION_TIMEOUT_S"
    )
    max_pool_size: int = Field(default=20, gt=0, validation_alias="MONGO_MAX_POOL_SIZE")
    tls_ca_file: FilePath | None = Field(default=None, validation_alias="MONGO_TLS_CA_FILE")
    tls_cert_key_file: FilePath | None = Field(default=None, validation_alias="MONGO_TLS_CERT_KEY_FILE")

    @model_validator(mode="after")
    def _require_password(self) -> Self:
        if self.username and self.password is None:
            raise ValueError("MONGO_USERNAME needs MONGO_PASSWORD")
        return self

    def credentials(self) -> dict[str, Any]:
        """Return the driver's options for logging in, beyond those in the address."""
        if self.username is None or self.password is None:
            return {}
        return {"username": self.username, "password": self.password.get_secret_value()}

    def tls(self) -> dict[str, Any]:
        """Return the driver's options for TLS, beyond those in the address."""
        files = {"tlsCAFile": self.tls_ca_file, "tlsCertificateKeyFile": self.tls_cert_key_file}
        given: dict[str, Any] = {name: str(file) for name, file in files.items() if file is not None}
        return {"tls": True, **given} if given else {}


class RedisMode(StrEnum):
    """Kind of the servers that the addresses of Redis name."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class RedisSettings(BaseSettings):
    """Address, credentials and timeouts of Redis. Everything works without Redis, so timeouts are short.

    Attributes:
        address: `host:port` of the server; of Sentinels or of nodes of a cluster, separated by commas.
        mode: what the addresses are of: `server`, `sentinel`, or `cluster` (Redis Cluster).
        sentinel_master: name under which the Sentinels watch the server.
        sentinel_username: user name at the Sentinels, with its password.
        sentinel_password: password at the Sentinels, if they ask for one.
        db: number of the database; a cluster has only 0.
        timeout_s: longest wait in seconds for a server's response; a call is not repeated.
        username: user name at the server, with its password.
        password: password at the server.
        tls: whether connections go through TLS, those to Sentinels too.
        tls_ca_file: authority of the server's certificate; the system's authorities without it.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    address: str = Field(
        default="127.0.0.1:6379",
        pattern=r"^[^:,\s]+:\d{1,5}(,[^:,\s]+:\d{1,5})*$",
        validation_alias="REDIS_ADDR",
    )
    mode: RedisMode = Field(default=RedisMode.SERVER, validation_alias="REDIS_MODE")
    sentinel_master: str = Field(default="mymaster", validation_alias="REDIS_SENTINEL_MASTER")
    sentinel_username: str | None = Field(default=None, validation_alias="REDIS_SENTINEL_USERNAME")
    sentinel_password: SecretStr | None = Field(default=None, validation_alias="REDIS_SENTINEL_PASSWORD")
    db: int = Field(default=0, ge=0, validation_alias="REDIS_DB")
    timeout_s: float = Field(default=0.25, gt=0, validation_alias="REDIS_TIMEOUT_S")
    username: str | None = Field(default=None, validation_alias="REDIS_USERNAME")
    password: SecretStr | None = Field(default=None, validation_alias="REDIS_PASSWORD")
    tls: bool = Field(default=False, validation_alias="REDIS_TLS")
    tls_ca_file: FilePath | None = Field(default=None, validation_alias="REDIS_TLS_CA_FILE")

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of each address."""
        pairs = (address.rpartition(":") for address in self.address.split(","))
        return [(host, int(port)) for host, _, port in pairs]

    @model_validator(mode="after")
    def _require_what_the_mode_has(self) -> Self:
        if self.mode is RedisMode.SERVER and len(self.addresses) > 1:
            raise ValueError("REDIS_ADDR with several addresses needs REDIS_MODE, sentinel or cluster")
        if self.mode is RedisMode.CLUSTER and self.db:
            raise ValueError("REDIS_DB must be 0 with REDIS_MODE=cluster")
        return self


class RetentionSettings(BaseSettings):
    """Retention of documents that have no effect any more; 0: for ever.

    Attributes:
        events_rejected_keep_days: of rejected events in the audit log; by default 30, or longer if the topic
            retains them longer. Every producer can cause any number of them.
        dead_letters_keep_days: of replayed and discarded dead letters in their index; by default for ever.
        retention_hours: of the topics; a record that can be read again must be recognised.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    events_rejected_keep_days: int | None = Field(
        default=None, ge=0, validation_alias="EVENTS_REJECTED_KEEP_DAYS"
    )
    dead_letters_keep_days: int | None = Field(default=None, ge=0, validation_alias="DEAD_LETTERS_KEEP_DAYS")
    retention_hours: int = Field(default=168, gt=0, validation_alias="KAFKA_RETENTION_HOURS")

    @property
    def least_days(self) -> int:
        """Days that a topic may retain a record: Kafka deletes whole segments, once they are old."""
        return -(-self.retention_hours // _DAY_HOURS) + _LONGEST_SEGMENT_DAYS + 1

    @property
    def days(self) -> Mapping[str, int | None]:
        """Days of retention by the name of each setting; None: for ever."""
        rejected = self.events_rejected_keep_days
        if rejected is None:
            rejected = max(_REJECTED_RETENTION_DAYS, self.least_days)
        return {
            "events_rejected_keep_days": rejected or None,
            "dead_letters_keep_days": self.dead_letters_keep_days or None,
        }

    @model_validator(mode="after")
    def _require_longer_than_topics(self) -> Self:
        least = self.least_days
        for name, days in self.days.items():
            if days is not None and days < least:
                raise ValueError(
                    f"{name.upper()}: at least {least}, as long as a topic may retain the record"
                )
        return self
