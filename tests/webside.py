"""What tests of pages share."""

import pytest


@pytest.fixture
def plain_static(settings) -> None:
    """Static files as they lie in the tree: no test depends on a collectstatic before it."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
