"""How much a first visit transfers, whichever page it is to."""

import gzip
import re
from functools import cache
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests.pages.sights import lookers

MOST_BYTES = 150 * 1024
FILE = re.compile(r'(?:src|href)="/static/([^"?]+)"')
# Swagger UI alone weighs more, as its package brings it; who reads it stays.
FOREIGN = frozenset({"api-docs"})


@cache
def transferred(name: str) -> int:
    """Return the bytes of a static file as the web server sends it: compressed once, when it is collected."""
    return len(gzip.compress(Path(finders.find(name)).read_bytes()))


@pytest.mark.django_db
def test_no_first_visit_transfers_more_than_150_kilobytes(town):
    weights = {}

    for looker in lookers(town):
        client = Client()
        for name, value in looker.cookies().items():
            client.cookies[name] = value
        for name, address in looker.pages.items():
            page = client.get(address, follow=True).content.decode()
            files = set(FILE.findall(page))
            assert files, name
            weights[name] = len(page.encode()) + sum(map(transferred, files))

    too_heavy = {name: weight for name, weight in weights.items() if weight > MOST_BYTES and name not in FOREIGN}
    assert too_heavy == {}, sorted(weights.items(), key=lambda item: -item[1])[:5]
