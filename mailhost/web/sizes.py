"""Sizes as people write them: "500 MB", "2 GB", "1.5 GB"; a number alone counts MB."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

IN_MB = {"": 1, "MB": 1, "GB": 1024, "TB": 1024 * 1024}
SIZE = re.compile(r"(\d{1,12}(?:[.,]\d{1,6})?)\s*([MGT]?)i?B?", re.IGNORECASE)
# What is offered while somebody types.
USUAL_MB = (512, 1024, 2048, 5120, 10_240, 25_600)


class SizeField(forms.Field):
    """A size, as a whole number of MB of 1024 × 1024 bytes, as Dovecot counts them."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text", "list": "sizes", "size": 12})

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("For example 500 MB or 2 GB."))
        kwargs.setdefault("error_messages", {"required": _("Enter a size.")})
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        size_mb = in_mb(text)
        if size_mb is None:
            raise ValidationError(_("This is no size. Write for example 500 MB or 2 GB."), code="invalid")
        if size_mb < 1:
            raise ValidationError(_("The smallest size is 1 MB."), code="invalid")
        return size_mb


def in_mb(text: str) -> int | None:
    """Return the size that a text says, in MB, or None when it says none."""
    found = SIZE.fullmatch(text.strip())
    if found is None:
        return None
    number, unit = found.groups()
    return round(float(number.replace(",", ".")) * IN_MB[f"{unit.upper()}B" if unit else ""])


def written(size_mb: int) -> str:
    """Write a size so that `SizeField` reads the same again: 2048 is "2 GB", 1500 stays "1500 MB"."""
    for unit in ("TB", "GB"):
        if size_mb and size_mb % IN_MB[unit] == 0:
            return f"{size_mb // IN_MB[unit]} {unit}"
    return f"{size_mb} MB"
