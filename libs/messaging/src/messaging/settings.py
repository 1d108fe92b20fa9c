"""Settings of Kafka, read from the environment by the services."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Where Kafka is, and how topics are created and written.

    Attributes:
        partitions: of a topic at its creation; it never changes after.
        publish_timeout_s: how long an append may take before its outcome is given up as unknown.
        max_batch_bytes: of one record batch, before compression.
        pace_s: what lies between two rounds of single records at least; see `GroupCommit`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    brokers: str = Field(default="127.0.0.1:9092", validation_alias="KAFKA_BROKERS")
    topic_prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]*$", validation_alias="KAFKA_TOPIC_PREFIX")
    partitions: int = Field(default=12, gt=0, validation_alias="KAFKA_PARTITIONS")
    replication_factor: int = Field(default=1, gt=0, validation_alias="KAFKA_REPLICATION_FACTOR")
    min_insync_replicas: int = Field(default=1, gt=0, validation_alias="KAFKA_MIN_INSYNC_REPLICAS")
    retention_hours: int = Field(default=168, gt=0, validation_alias="KAFKA_RETENTION_HOURS")
    publish_timeout_s: float = Field(default=5.0, gt=0, validation_alias="KAFKA_PUBLISH_TIMEOUT_S")
    request_timeout_s: float = Field(default=10.0, gt=0, validation_alias="KAFKA_REQUEST_TIMEOUT_S")
    max_batch_bytes: int = Field(default=512 * 1024, gt=0, validation_alias="KAFKA_MAX_BATCH_BYTES")
    # Not settled: one run each, 64 callers, while other load varied: none 1,400 to 1,600 records/s,
    # 3 ms 2,700 to 2,900, 8 ms 1,300. Compare in turn, alone.
    pace_s: float = Field(default=0.003, ge=0, le=0.1, validation_alias="KAFKA_PACE_S")
    # 0.2 µs per event and 63 bytes; lz4, which aiokafka runs at level 9: 1.2 µs and 54; zstd: 0.6 µs and 37.
    compression: Literal["snappy", "lz4", "zstd", "gzip"] | None = Field(
        default="snappy", validation_alias="KAFKA_COMPRESSION"
    )
