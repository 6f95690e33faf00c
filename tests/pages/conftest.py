"""A browser, and a small town to look at: Rita's customers Acme and Bolt."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.pages.town import Town, build_town

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture
def plain_static(settings) -> None:
    """Static files as they lie in the tree: no test depends on a collectstatic before it."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def town(db, plain_static) -> Town:
    return build_town(now=timezone.now() - timedelta(days=40))
