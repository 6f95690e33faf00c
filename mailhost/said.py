"""Sentences that are said in English where they arise, kept, and said again in the language of who reads them."""

from datetime import date
from typing import Any, Self

from django.utils import translation
from django.utils.dateformat import format as date_in_words

Kept = dict[str, Any]
# Marked for translation where templates write dates: this module is read before settings are.
DAY_FORMAT = "j F Y"
# No name of anything else that is stored.
SAID = "said"


class Said(str):
    """An English sentence that knows the text and the values it was made of. Values may be such sentences themselves.

        Said(_("%(name)s has no address."), name=host)      with gettext_noop as _

    The log, the API and what compares take it for the string it is; a page shows `translated`.
    """

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Self:
        said = super().__new__(cls, text % values if values else text)
        said.text, said.values = text, values
        return said

    def __reduce__(self) -> tuple:
        return from_kept, (self.kept,)

    @property
    def translated(self) -> str:
        """Return the sentence in the language that is active now."""
        text = translation.gettext(self.text) if self.text else ""
        return text % {name: translated(value) for name, value in self.values.items()} if self.values else text

    @property
    def kept(self) -> Kept:
        """Return what a JSON column holds of it; {} of an empty one."""
        if not self.text:
            return {}
        return {"text": self.text, "values": {name: _as_json(value) for name, value in self.values.items()}}


class Day(Said):
    """A date within a sentence: "3 December 2026", written in each language as it writes dates."""

    day: date

    def __new__(cls, day: date) -> Self:
        with translation.override("en"):
            said = str.__new__(cls, date_in_words(day, DAY_FORMAT))
        said.text, said.values, said.day = str(said), {}, day
        return said

    def __reduce__(self) -> tuple:
        return Day, (self.day,)

    @property
    def translated(self) -> str:
        # Translators: how a date is written, https://docs.djangoproject.com/en/stable/ref/templates/builtins/#date
        return date_in_words(self.day, translation.gettext(DAY_FORMAT))

    @property
    def kept(self) -> Kept:
        return {"day": self.day.isoformat()}


class Sentence(Said):
    """A sentence in the language it was made in, as Django's gettext returns it, that can be kept all the same."""

    def __new__(cls, text: str, /, **values: Any) -> Self:
        here = translation.gettext(text)
        told = {name: translated(value) for name, value in values.items()}
        said = str.__new__(cls, here % told if told else here)
        said.text, said.values = text, values
        return said

    def __mod__(self, values: Any) -> "Sentence":
        return type(self)(self.text, **values)


def gettext(text: str) -> Sentence:
    """Return a sentence for who asks now, as Django's gettext: `_("%(name)s is taken.") % {"name": name}`.

    What is refused is said with it, because long work keeps its refusals for whoever reads them later.
    """
    return Sentence(text)


def from_kept(kept: Kept) -> Said:
    """Return the sentence that was kept."""
    if "day" in kept:
        return Day(date.fromisoformat(kept["day"]))
    values = {
        name: from_kept(value) if isinstance(value, dict) else value for name, value in kept.get("values", {}).items()
    }
    return Said(kept.get("text", ""), **values)


def storable(value: Any) -> Any:
    """Return dicts and lists with sentences in them as JSON can hold them; `restored` brings them back."""
    if isinstance(value, dict):
        return {name: storable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    return {SAID: value.kept} if isinstance(value, Said) else value


def restored(value: Any) -> Any:
    if isinstance(value, list):
        return [restored(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {SAID}:
        return from_kept(value[SAID])
    return {name: restored(one) for name, one in value.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, Said):
        return value.kept
    return value if isinstance(value, int | float) else str(value)


def translated(value: Any) -> Any:
    """Return a sentence in the language that is active now, and anything else as it is."""
    return value.translated if isinstance(value, Said) else value


NOTHING = Said("")
