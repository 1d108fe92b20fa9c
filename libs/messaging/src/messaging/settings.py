"""Settings of Kafka, read from the environment by the services."""

import ssl
from typing import Any, Literal, Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Settings of the Kafka connection, of topics and of the producer.

    Attributes:
        brokers: addresses to begin with, `host:port`, separated by commas.
        topic_prefix: prefix of every topic's name; keeps several Waybills on one Kafka apart.
        replication_factor: replicas of a topic, at its creation; 3 in production.
        min_insync_replicas: replicas that must have a record before it is acknowledged, at a topic's
            creation; 2 in production.
        request_timeout_s: longest wait in seconds for an answer of a broker.
        compression: compression of record batches.
        security_protocol: how brokers are spoken to; `SASL_…` needs a user name and a password.
        sasl_mechanism: mechanism of the login at the brokers.
        sasl_username: user name at the brokers.
        sasl_password: password at the brokers.
        ssl_key_file: private key of `ssl_cert_file`, if it is a file of its own.
        partitions: of a topic at its creation; it never changes, though the log may go on in another.
        publish_timeout_s: how long an append may take before its outcome counts as unknown.
        max_batch_bytes: of one record batch, before compression.
        ssl_ca_file: certificate authority of the brokers; the system's authorities without it.
        ssl_cert_file: client certificate, with its key in `ssl_key_file` or in the same file.
        pace_s: minimum time between two rounds of single records; see `GroupCommit`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    brokers: str = Field(default="127.0.0.1:9092", validation_alias="KAFKA_BROKERS")
    topic_prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]*$", validation_alias="KAFKA_TOPIC_PREFIX")
    partitions: int = Field(default=12, gt=0, validation_alias="KAFKA_PARTITIONS")
    replication_factor: int = Field(default=1, gt=0, validation_alias="KAFKA_REPLICATION_FACTOR")
    min_insync_replicas: int = Field(default=1, gt=0, validation_alias="KAFKA_MIN_INSYNC_REPLICAS")
    retention_hours: int = Field(default=168, gt=0, validation_alias="KAFKA_RETENTION_HOURS")
    publish_timeout_s: float = Field(default=5.0, gt=0, validation_alias="KAFKA_PUBLISH_TIMEOUT_S")
    request_timeout_s: float = Field(default=10.0, gt=0, validation_alias="KAFKA_REQUEST_TIMEOUT_S")
    max_batch_bytes: int = Field(default=512 * 1024, gt=0, validation_alias="KAFKA_MAX_BATCH_BYTES")
    # One run each, 64 callers, while other load varied: none 1,400 to 1,600 records/s,
    # 3 ms 2,700 to 2,900, 8 ms 1,300. Compare in turn, alone.
    pace_s: float = Field(default=0.003, ge=0, le=0.1, validation_alias="KAFKA_PACE_S")
    # 0.2 µs per event and 63 bytes; lz4, which aiokafka runs at level 9: 1.2 µs and 54; zstd: 0.6 µs and 37.
    compression: Literal["snappy", "lz4", "zstd", "gzip"] | None = Field(
        default="snappy", validation_alias="KAFKA_COMPRESSION"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    ssl_ca_file: FilePath | None = Field(default=None, validation_alias="KAFKA_SSL_CA_FILE")
    ssl_cert_file: FilePath | None = Field(default=None, validation_alias="KAFKA_SSL_CERT_FILE")
    ssl_key_file: FilePath | None = Field(default=None, validation_alias="KAFKA_SSL_KEY_FILE")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", validation_alias="KAFKA_SASL_MECHANISM"
    )
    sasl_username: str | None = Field(default=None, validation_alias="KAFKA_SASL_USERNAME")
    sasl_password: SecretStr | None = Field(default=None, validation_alias="KAFKA_SASL_PASSWORD")

    @model_validator(mode="after")
    def _require_credentials(self) -> Self:
        if self._has_sasl and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL={self.security_protocol} needs KAFKA_SASL_USERNAME"
                " and KAFKA_SASL_PASSWORD"
            )
        return self

    @property
    def _has_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    def connection(self) -> dict[str, Any]:
        """Return the connection options of every Kafka client: brokers and security.

        Raises:
            OSError: a certificate cannot be read, or is invalid.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.brokers,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self._has_sasl and self.sasl_password is not None:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ssl_ca_file)
        if self.ssl_cert_file is not None:
            context.load_cert_chain(self.ssl_cert_file, self.ssl_key_file)
        return context
