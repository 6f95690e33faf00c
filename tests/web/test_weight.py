"""How much a browser has to fetch before it shows anything, and that nothing of it leans on one side."""

import gzip
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "mailhost/web/static/mailhost"
MOST_CSS, MOST_JS = 30 * 1024, 15 * 1024
# What a language written from the right would have on the wrong side.
ONE_SIDED = re.compile(
    r"(?:margin|padding|border)-(?:left|right)|(?<![\w-])(?:left|right)\s*:|text-align:\s*(?:left|right)"
)


def zipped(pattern: str) -> int:
    return len(gzip.compress(b"".join(path.read_bytes() for path in sorted(FOLDER.glob(pattern)))))


def test_the_stylesheets_stay_small():
    assert 0 < zipped("*.css") <= MOST_CSS


def test_our_scripts_stay_small():
    assert 0 < zipped("*.js") <= MOST_JS


def test_stylesheets_say_start_and_end():
    found = {path.name: ONE_SIDED.findall(path.read_text()) for path in FOLDER.glob("*.css")}

    assert found
    assert {name: sides for name, sides in found.items() if sides} == {}


def test_every_token_that_is_used_is_defined():
    text = "".join(path.read_text() for path in FOLDER.glob("*.css"))
    defined = set(re.findall(r"(--[a-z0-9-]+)\s*:", text))

    assert set(re.findall(r"var\((--[a-z0-9-]+)", text)) <= defined
