"""What Django can check about the project without a request."""

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
