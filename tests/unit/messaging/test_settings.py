"""Kafka settings, from the environment to the options of clients."""

import pytest
from pydantic import ValidationError

from messaging.settings import KafkaSettings


def settings(**given: str) -> KafkaSettings:
    return KafkaSettings.model_validate(given)


def test_plain_by_default() -> None:
    assert settings(KAFKA_BROKERS="a:1,b:2").connection() == {
        "bootstrap_servers": "a:1,b:2",
        "security_protocol": "PLAINTEXT",
    }


def test_a_password_without_tls_is_possible_on_a_trusted_network() -> None:
    options = settings(
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="p",  # noqa: S106
    ).connection()
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    assert "ssl_context" not in options


def test_tls_without_a_file_trusts_the_systems_authorities_and_checks_names() -> None:
    context = settings(KAFKA_SECURITY_PROTOCOL="SSL").connection()["ssl_context"]
    assert context.check_hostname


def test_sasl_without_credentials_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"):
        settings(KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_USERNAME="u")


def test_a_certificate_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="KAFKA_SSL_CA_FILE"):
        settings(KAFKA_SSL_CA_FILE="/nowhere/ca.pem")


def test_the_password_is_not_shown() -> None:
    assert "p4ss" not in repr(settings(KAFKA_SASL_PASSWORD="p4ss"))  # noqa: S106
