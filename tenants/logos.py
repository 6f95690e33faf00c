"""Logos: whatever is uploaded is decoded within limits and drawn anew, so that nothing of the file itself is served."""

import hashlib
import io
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from mailhost.errors import Refused

# No SVG: it is a document with scripts in it.
FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 1024 * 1024
# Before anything is decoded: a small file may claim to be a huge picture.
MOST_PIXELS = 4096 * 4096
# A logo is shown 32 pixels high and at most 200 wide; twice that for fine screens.
SHOWN_WIDTH, SHOWN_HEIGHT = 400, 64


@dataclass(frozen=True)
class Logo:
    """A picture of ours: PNG without anything that is not pixels. `digest` names it in its address."""

    image: bytes
    width: int
    height: int
    digest: str


def drawn_anew(upload: bytes, field: str = "logo") -> Logo:
    """Return the picture in this file, made small. Raises Refused: logo_too_large, invalid_logo."""
    if len(upload) > MOST_BYTES:
        raise Refused("logo_too_large", field, _("A logo has at most 1 MB. Save it smaller and try again."))
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _too_many_pixels(field)
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(field) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused(
            "invalid_logo", field, _("This is no picture that can be read. Give a PNG, JPEG or WebP file.")
        ) from error
    picture.thumbnail((SHOWN_WIDTH, SHOWN_HEIGHT))
    written = io.BytesIO()
    # A new picture of the pixels alone: comments, profiles and positions stay behind.
    clean = Image.new("RGBA", picture.size)
    clean.paste(picture)
    clean.save(written, "PNG", optimize=True)
    image = written.getvalue()
    return Logo(image, *clean.size, version_of(image))


def version_of(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()[:32]


def _too_many_pixels(field: str) -> Refused:
    return Refused("logo_too_large", field, _("A logo has at most 4096 by 4096 pixels. Save it smaller and try again."))
