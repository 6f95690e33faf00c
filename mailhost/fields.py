"""Database columns that several apps share."""

import secrets

from django.db import models

# Crockford's alphabet in lower case: no i, l, o, u, so that an id can be read aloud.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
UID_LENGTH = 20


def new_uid() -> str:
    """Return 20 random characters (100 bits): an opaque id that is never used twice."""
    # 32 signs, so the five low bits of a random byte choose one of them, each as often as the others.
    return "".join([ALPHABET[byte & 31] for byte in secrets.token_bytes(UID_LENGTH)])


class UidField(models.CharField):
    """The opaque id of a row, unique for ever; it stands in API answers and in mail folders."""

    def __init__(self, **options) -> None:
        options.setdefault("max_length", UID_LENGTH)
        options.setdefault("default", new_uid)
        options.setdefault("unique", True)
        options.setdefault("editable", False)
        options.setdefault("db_collation", "ascii_bin")
        super().__init__(**options)


class ExactCharField(models.CharField):
    """Text that compares byte by byte, trailing blanks included: names, addresses, tokens.

    Under MariaDB's usual collations `admín@` is `admin@` and any two emoji are one.
    """

    def db_parameters(self, connection):
        parameters = super().db_parameters(connection)
        parameters["collation"] = exact_collation(connection)
        return parameters


def exact_collation(connection) -> str:
    """MariaDB and MySQL have the binary collation without padding under different names."""
    return "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"
