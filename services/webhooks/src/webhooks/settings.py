"""Settings of webhooks."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final

from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from servicekit.settings import ServiceSettings, TelemetrySettings
from storage.settings import MongoSettings, RedisSettings

HOW_TO_MAKE_A_KEY: Final = "openssl rand -base64 32 | tr +/ -_"

Network = IPv4Network | IPv6Network


class WebhookSettings(BaseSettings):
    """Settings of deliveries: `WEBHOOKS_KEYS` (no default) and so on.

    Attributes:
        keys: Fernet keys that encrypt the secrets of endpoints, separated by commas; the first encrypts, all
            decrypt. Rotate by putting a new one first. A secret whose key is gone is lost.
        allowed_networks: networks that endpoints may be in although they are not public, such as
            `10.0.0.0/8`, separated by commas; http is allowed to these only. None by default.
        slots: attempts in flight at once in a process; an endpoint has 8 of them, and never more than a
            quarter.
        group: consumer group; all replicas of webhooks have the same.
        drain_s: seconds that attempts in flight may take to end at SIGTERM; an attempt takes 15 at most.
    """

    model_config = SettingsConfigDict(frozen=True, env_prefix="WEBHOOKS_", env_ignore_empty=True)

    keys: SecretStr
    allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    slots: int = Field(default=512, ge=4, le=10_000)
    group: str = "waybill-webhooks"
    drain_s: float = Field(default=16.0, gt=0)

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(each) for each in value.replace(",", " ").split())

    @field_validator("keys")
    @classmethod
    def _require_keys(cls, keys: SecretStr) -> SecretStr:
        if not _listed(keys):
            raise ValueError("at least one key is needed")
        for number, key in enumerate(_listed(keys), start=1):
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(f"key {number} is not 32 bytes in base64url: {HOW_TO_MAKE_A_KEY}") from None
        return keys

    def key_list(self) -> tuple[str, ...]:
        """Return the keys, the one that encrypts first."""
        return _listed(self.keys)


class Settings(BaseModel):
    """All settings of webhooks; `load_settings` reads each group from the environment."""

    model_config = ConfigDict(frozen=True)

    service: ServiceSettings
    http: HttpSettings
    auth: AuthSettings
    limits: LimitSettings
    kafka: KafkaSettings
    mongo: MongoSettings
    redis: RedisSettings
    webhooks: WebhookSettings
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)


def _listed(keys: SecretStr) -> tuple[str, ...]:
    return tuple(keys.get_secret_value().replace(",", " ").split())
