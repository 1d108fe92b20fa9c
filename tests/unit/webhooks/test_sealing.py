"""Secrets of endpoints, encrypted."""

from base64 import b64decode

import pytest
from cryptography.fernet import Fernet

from webhooks.sealing import PREFIX, SecretSealer, UnreadableSecret, new_secret

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_a_secret_is_32_random_bytes_in_the_form_of_the_standard() -> None:
    secrets = {new_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert {len(b64decode(secret.removeprefix(PREFIX), validate=True)) for secret in secrets} == {32}


def test_a_sealed_secret_outlives_the_rotation_of_keys() -> None:
    secret = new_secret()
    sealed = SecretSealer([OLD]).seal(secret)
    assert secret.encode() not in sealed
    rotated = SecretSealer([NEW, OLD])
    assert rotated.open(sealed) == secret
    assert SecretSealer([NEW]).open(rotated.seal(secret)) == secret


@pytest.mark.parametrize("damage", [lambda sealed: sealed[:-4], lambda _: b"", lambda _: b"\xff"])
def test_what_no_key_opens_is_an_error_of_its_own(damage: object) -> None:
    sealed = SecretSealer([OLD]).seal(new_secret())
    with pytest.raises(UnreadableSecret):
        SecretSealer([NEW]).open(sealed)
    with pytest.raises(UnreadableSecret):
        SecretSealer([OLD]).open(damage(sealed))  # type: ignore[operator]  # a lambda
