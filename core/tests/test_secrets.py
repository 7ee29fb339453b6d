import pytest
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured

from core.security.secrets import decrypt, encrypt


def test_what_is_sealed_is_read_back_and_looks_different_each_time(settings):
    settings.FIELD_ENCRYPTION_KEYS = ["one"]
    first, second = encrypt(b"seed"), encrypt(b"seed")
    assert first != second
    assert b"seed" not in first
    assert (decrypt(first), decrypt(second)) == (b"seed", b"seed")


def test_after_a_rotation_the_old_is_readable_and_the_new_is_not_to_the_old_key(settings):
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    sealed = encrypt(b"seed")
    settings.FIELD_ENCRYPTION_KEYS = ["new", "old"]
    assert decrypt(sealed) == b"seed"
    resealed = encrypt(b"seed")
    settings.FIELD_ENCRYPTION_KEYS = ["old"]
    with pytest.raises(InvalidToken):
        decrypt(resealed)


def test_one_changed_byte_is_noticed(settings):
    settings.FIELD_ENCRYPTION_KEYS = ["one"]
    sealed = bytearray(encrypt(b"seed"))
    sealed[20] ^= 1
    with pytest.raises(InvalidToken):
        decrypt(bytes(sealed))


@pytest.mark.parametrize("keys", [[], [""], ["", "one"], ["one", " "]])
def test_an_empty_key_is_refused_because_everybody_knows_it(settings, keys):
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        encrypt(b"seed")
