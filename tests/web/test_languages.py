"""In which language pages speak, and that every text can be put into another one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import signed_in

ROOT = Path(__file__).parents[2]
MAKEFILE = ROOT / "Makefile"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


@pytest.fixture
def anna(world):
    return signed_in(owner_of(world.acme))


def owner_of(tenant) -> User:
    user, _ = User.objects.get_or_create(email=f"owner@{tenant.name.lower()}.example")
    with every_tenant("the tests' cast"):
        Member.objects.get_or_create(tenant=tenant, user=user, role=Role.OWNER)
    return user


def language_of(answer) -> str:
    return re.search(r'<html lang="([^"]+)" dir="([^"]+)"', answer.content.decode())[1]


def test_a_browser_gets_the_language_it_asks_for():
    assert language_of(Client().get("/sign-in/", headers={"Accept-Language": "de-AT, en;q=0.5"})) == "de"
    assert language_of(Client().get("/sign-in/", headers={"Accept-Language": "eo"})) == "en"


def test_a_choice_stays_with_the_person_in_another_browser(anna, world):
    answer = anna.post("/language/", {"language": "de", "next": "/security/"})

    assert answer["Location"] == "/security/"
    page = signed_in(owner_of(world.acme)).get("/", headers={"Accept-Language": "en"})
    assert language_of(page) == page["Content-Language"] == "de"
    assert "Abmelden" in page.content.decode()


def test_a_choice_stays_with_the_browser_of_who_is_not_signed_in():
    browser = Client()

    browser.post("/language/", {"language": "de"})

    assert language_of(browser.get("/mailbox/sign-in/", headers={"Accept-Language": "en"})) == "de"


def test_a_language_that_we_do_not_speak_changes_nothing(anna, world):
    answer = anna.post("/language/", {"language": "<x>", "next": "https://elsewhere.example/"})

    assert (answer["Location"], answer.cookies.get("language")) == ("/", None)
    assert owner_of(world.acme).language == ""


def test_a_language_written_from_right_to_left_says_so(settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية")]

    page = Client().get("/sign-in/", headers={"Accept-Language": "ar"}).content.decode()

    assert '<html lang="ar" dir="rtl">' in page


def test_the_api_speaks_english_to_everybody():
    answer = Client().get("/api/v1/me", headers={"Accept-Language": "de"})

    assert answer.json()["title"] == "A valid API key is needed"
    assert "Content-Language" not in answer.headers


def test_texts_of_templates_and_of_python_are_found(tmp_path):
    texts = collected(tmp_path, "de").read_text()

    assert 'msgid "Skip to the content"' in texts
    assert 'msgid "Explain an address"' in texts


def collected(folder: Path, language: str) -> Path:
    """Return the catalogue as `make messages` would write it now, of a copy of the tree."""
    shutil.copytree(ROOT, folder / "tree", ignore=shutil.ignore_patterns(".*", "var", "tests", "bench", "docs"))
    for line in MAKEFILE.read_text().splitlines():
        if "manage.py makemessages" in line:
            options = line.split("makemessages --all", 1)[1].removesuffix("\\").split()
    command = [sys.executable, "manage.py", "makemessages", "--locale", language, *options]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mailhost.settings"}
    made = subprocess.run(command, cwd=folder / "tree", env=environment, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder / "tree/locale" / language / "LC_MESSAGES/django.po"


@pytest.mark.parametrize("catalogue", sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")), ids=lambda path: path.parts[-3])
def test_a_catalogue_has_the_placeholders_of_its_texts(catalogue):
    checked = subprocess.run(
        ["msgfmt", "--check", "--output-file=/dev/null", catalogue], capture_output=True, text=True, check=False
    )

    assert checked.stderr == ""


@pytest.mark.parametrize("language", sorted(path.name for path in ROOT.glob("locale/*") if path.is_dir()))
def test_a_language_that_is_offered_has_every_text(language, tmp_path):
    catalogue = collected(tmp_path, language)

    for missing in ("--untranslated", "--only-fuzzy"):
        command = ["msgattrib", missing, "--no-obsolete", catalogue]
        left = subprocess.run(command, capture_output=True, text=True, check=True)
        assert left.stdout == ""
