"""Not a test: takes the pictures of `python -m tests.look`, and fails when a page was forgotten."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as Timeout

from tests.pages.sights import Looker, forgotten, lookers

FOLDER = Path(__file__).resolve().parents[2] / "var" / "screenshots"
WIDTHS = (1280, 360)
THEMES = ("light", "dark")
PATIENCE_MS = 3000


@pytest.fixture(scope="module", autouse=True)
def empty_folder() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)


def test_take_pictures(town, live_server, browser) -> None:
    everybody = lookers(town)
    seen: set[str] = set()
    for theme in THEMES:
        for width in WIDTHS:
            for looker in everybody:
                context = opened(browser, live_server.url, theme, width)
                looker.enter(context, live_server.url)
                seen |= photographed(context, looker, f"{width}-{theme}")
                context.close()
    assert forgotten(seen) == []


def test_take_pictures_of_what_comes_of_acts(town, live_server, browser) -> None:
    anna = next(looker for looker in lookers(town) if looker.name == "anna")
    for theme in THEMES:
        for width in WIDTHS:
            context = opened(browser, live_server.url, theme, width)
            page = context.new_page()

            def take(name: str, page=page, width=width, theme=theme) -> None:
                settle(page)
                page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=True)

            page.goto("/sign-in/")
            page.get_by_label("E-mail address").fill("nobody@acme.example")
            page.get_by_role("button", name="Continue").click()
            take("sign-in-password")
            page.get_by_label("Password").fill("wrong")
            page.get_by_role("button", name="Sign in", exact=True).click()
            take("sign-in-refused")
            anna.enter(context, live_server.url)
            page.goto("/mailboxes/add/")
            page.get_by_label("Name").fill("wrong name")
            page.get_by_role("button", name="Create mailbox").click()
            take("mailbox-add-refused")
            if width < 900:
                page.get_by_role("button", name="Menu").click()
                take("menu")
            context.close()


def opened(browser: Browser, url: str, theme: str, width: int) -> BrowserContext:
    size = {"width": width, "height": 800}
    # Without motion, or a picture would catch a page halfway.
    return browser.new_context(base_url=url, color_scheme=theme, viewport=size, reduced_motion="reduce")


def settle(page: Page) -> None:
    """Wait for what a page asks for after it has come: limits, verdicts. Not longer than that."""
    with suppress(Timeout):
        page.wait_for_load_state("networkidle", timeout=PATIENCE_MS)


def photographed(context: BrowserContext, looker: Looker, suffix: str) -> set[str]:
    """Take a picture of each page; return the paths at which they stood in the end."""
    page, paths = context.new_page(), set()
    for name, address in looker.pages.items():
        page.goto(address)
        settle(page)
        page.screenshot(path=FOLDER / f"{name}-{suffix}.png", full_page=True)
        paths.add(page.evaluate("location.pathname"))
    return paths
