"""Colours of a brand: read from #rrggbb, held to the contrast that text needs (WCAG 2.2, 1.4.3), spun into what a page
needs of them. Pure: no page and no table."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from mailhost.errors import Refused

HEX = re.compile(r"#[0-9a-f]{6}")
# Of text on its ground; WCAG 2.2 AA.
LEAST_CONTRAST = 4.5
BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True)
class Theme:
    """The grounds that a colour stands on in the panel, the ink on the colour, and how its neighbours are mixed."""

    name: str
    grounds: tuple[str, ...]
    ink: str
    towards: str
    deepened: float
    tinted: float


# The grounds are those of the stylesheet's tokens --ground, --surface, --raised and --sunken.
LIGHT = Theme("light", ("#ffffff", "#f6f7f9", "#eef1f5"), "#ffffff", BLACK, 0.2, 0.1)
DARK = Theme("dark", ("#191f28", "#11151b", "#222a35", "#141a22"), "#0c1a30", WHITE, 0.3, 0.16)


@dataclass(frozen=True)
class Palette:
    """What a page needs of one colour in one theme."""

    accent: str
    deep: str
    tint: str
    ink: str


def palette(colour: str, theme: Theme) -> Palette:
    return Palette(
        accent=colour,
        deep=mixed(colour, theme.towards, theme.deepened),
        tint=mixed(theme.grounds[0], colour, theme.tinted),
        ink=theme.ink,
    )


def checked(colour: str, theme: Theme, field: str) -> str:
    """Return the colour as #rrggbb in lower case. Raises Refused: invalid_colour, low_contrast."""
    colour = colour.strip().lower()
    if not HEX.fullmatch(colour):
        raise Refused("invalid_colour", field, _("Give a colour as # and six digits, such as #1f5fbf."))
    found = least_contrast(colour, theme)
    if found < LEAST_CONTRAST:
        told = {"colour": colour, "found": f"{found:.1f}", "least": LEAST_CONTRAST, "other": nearest(colour, theme)}
        raise Refused(
            "low_contrast",
            field,
            _("Text in %(colour)s has a contrast of %(found)s to 1 here and needs %(least)s. Try %(other)s.") % told,
        )
    return colour


def least_contrast(colour: str, theme: Theme) -> float:
    """Return the worst contrast of whatever a page writes in this colour or on it."""
    all_of_it = palette(colour, theme)
    pairs = [(colour, ground) for ground in theme.grounds]
    pairs += [(all_of_it.ink, colour), (all_of_it.ink, all_of_it.deep), (all_of_it.deep, all_of_it.tint)]
    return min(contrast(one, other) for one, other in pairs)


def nearest(colour: str, theme: Theme) -> str:
    """Return the first of its shades, towards black or white, that holds."""
    shades = (mixed(colour, theme.towards, step / 50) for step in range(1, 51))
    return next(shade for shade in shades if least_contrast(shade, theme) >= LEAST_CONTRAST)


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    parts = [part / 255 for part in channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share (0 to 1) of another."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
