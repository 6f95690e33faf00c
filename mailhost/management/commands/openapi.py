"""Write the OpenAPI document: `manage.py openapi docs/openapi.json`."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand

from mailhost.api.schema import document


class Command(BaseCommand):
    help = "Write the OpenAPI document to a file."

    def add_arguments(self, parser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *, path: Path, **_options) -> None:
        path.write_text(text())


def text() -> str:
    """Return the document as it is committed: in one order, so that a difference is one of contents."""
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
