"""What Django can check about the project without a request."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.template.loader import get_template

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "mailhost/web/templates", *sorted(ROOT.glob("*/templates"))]
TEMPLATES = [str(path.relative_to(folder)) for folder in FOLDERS for path in sorted(folder.rglob("*.html"))]


def test_the_system_checks_find_nothing():
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name):
    get_template(name)


def test_no_test_starts_an_event_loop_where_a_browser_may_run_one():
    """tests/together.py:run_apart is the way: beside Playwright's loop no other starts in the same thread."""
    starts_a_loop = re.compile(r"\basyncio\.(run|Runner)\(|\brun_until_complete\(|\basync_to_sync\(")
    there = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if starts_a_loop.search(path.read_text())
    ]

    assert there == []
