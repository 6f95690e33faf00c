"""Pages in German: whoever looks, no sentence of the English catalogue is left on them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from tests.pages.sights import Looker, forgotten, lookers

CATALOGUE = Path(__file__).parents[2] / "locale/de/LC_MESSAGES/django.po"
# One line each: `make messages` wraps nothing.
ENTRY = re.compile(r'^msgid "(.+)"\n(?:msgid_plural ".+"\n)?msgstr(?:\[0\])? "(.+)"$', re.M)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
# Shorter pieces are words that a name or an address may have in it.
SHORTEST = 14
# What programs and their makers read.
ENGLISH = frozenset({"api-docs"})
# Refusals of an import stand as its reader got them.
KEPT = frozenset({"import-work", "import-preview"})


def pieces() -> dict[str, str]:
    """Return the longest fixed piece of each English text whose German is another, with the whole text."""
    found = {}
    for text, german in ENTRY.findall(CATALOGUE.read_text().replace('\\"', '"')):
        piece = max((part.strip() for part in PLACEHOLDER.split(re.sub(r"<[^>]+>", "%(x)s", text))), key=len)
        if len(piece) >= SHORTEST and " " in piece and piece not in german:
            found[piece] = text
    return found


class Texts(HTMLParser):
    """What somebody reads or hears of a page."""

    ATTRIBUTES = frozenset({"aria-label", "placeholder", "title", "alt", "data-copied", "data-announce", "data-picked"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.is_silent = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.is_silent = tag in {"script", "style"}
        self.texts += [value for name, value in attrs if name in self.ATTRIBUTES and value]

    def handle_data(self, data: str) -> None:
        if not self.is_silent:
            self.texts.append(data)

    def __str__(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.mark.django_db
def test_no_page_speaks_english_to_who_reads_german(town):
    english, left, seen = pieces(), {}, set()
    assert len(english) > 800

    for looker in lookers(town):
        client = german(looker)
        for name, address in looker.pages.items():
            answer = client.get(address, follow=True)
            seen.add(answer.request["PATH_INFO"])
            assert f'<html lang="{"en" if name in ENGLISH else "de"}"' in answer.content.decode(), name
            shown = str(Texts(answer.content.decode()))
            if found := [whole for piece, whole in english.items() if piece in shown and name not in ENGLISH | KEPT]:
                left[name] = found

    assert forgotten(seen) == []
    assert left == {}, "\n".join(f"{name}: {texts}" for name, texts in left.items())


def german(looker: Looker) -> Client:
    client = Client(headers={"Accept-Language": "de"})
    for name, value in looker.cookies().items():
        client.cookies[name] = value
    return client
