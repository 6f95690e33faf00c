"""How page addresses name a row."""

from django.urls import register_converter

from mailhost.fields import ALPHABET, UID_LENGTH


class UidConverter:
    """The opaque id of a row; anything else is no address at all, and never reaches the database."""

    regex = f"[{ALPHABET}]{{{UID_LENGTH}}}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class AlnumConverter(UidConverter):
    """Letters and digits alone: a part of an address that a hyphen ends."""

    regex = "[0-9A-Za-z]+"


register_converter(UidConverter, "uid")
register_converter(AlnumConverter, "alnum")
