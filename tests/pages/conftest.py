"""A browser, and a small town to look at: Rita's customers Acme and Bolt."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Page

from tests.pages.town import Town, build_town
from tests.webside import plain_static  # noqa: F401  a fixture

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


# Who goes on before a page has faded in is shown the next one without: the browser reports it as an error of the page.
SKIPPED = "Transition was aborted because of invalid state"


@pytest.fixture
def watched(live_server, browser) -> Iterator[Callable[..., Page]]:
    """Open pages in a browser that fails the test for whatever the strict policy or a script complains about."""
    complaints: list[str] = []
    contexts = []

    def open_browser(**options) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: None if SKIPPED in str(error) else complaints.append(str(error)))
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    # The browser reports a refused form (422) or a page that is not there as an error too; those are answers. htmx
    # does so when somebody leaves a page that still asks the server whether an address is free.
    harmless = (
        "the server responded with a status of 4",
        "htmx:sendAbort",
        "htmx:afterRequest",
    )
    return message.type == "error" and not any(words in message.text for words in harmless)


@pytest.fixture
def town(db, plain_static) -> Town:  # noqa: F811  the fixture of that name
    return build_town(now=timezone.now() - timedelta(days=40))
