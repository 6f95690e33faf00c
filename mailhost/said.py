"""Sentences that are said in English where they arise, kept, and said again in the language of who reads them."""

from typing import Any, Self

from django.utils.translation import gettext

Kept = dict[str, Any]


class Said(str):
    """An English sentence that knows the text and the values it was made of. Values may be such sentences themselves.

        Said(_("%(name)s has no address."), name=host)      with gettext_noop as _

    The log, the API and what compares take it for the string it is; a page shows `translated`.
    """

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, **values: Any) -> Self:
        said = super().__new__(cls, text % values if values else text)
        said.text, said.values = text, values
        return said

    def __reduce__(self) -> tuple:
        return from_kept, (self.kept,)

    @property
    def translated(self) -> str:
        """Return the sentence in the language that is active now."""
        text = gettext(self.text) if self.text else ""
        return text % {name: translated(value) for name, value in self.values.items()} if self.values else text

    @property
    def kept(self) -> Kept:
        """Return what a JSON column holds of it; {} of an empty one."""
        if not self.text:
            return {}
        values = {name: value.kept if isinstance(value, Said) else value for name, value in self.values.items()}
        return {"text": self.text, "values": values}


def from_kept(kept: Kept) -> Said:
    """Return the sentence that was kept."""
    values = {
        name: from_kept(value) if isinstance(value, dict) else value for name, value in kept.get("values", {}).items()
    }
    return Said(kept.get("text", ""), **values)


def translated(value: Any) -> Any:
    """Return a sentence in the language that is active now, and anything else as it is."""
    return value.translated if isinstance(value, Said) else value


NOTHING = Said("")
