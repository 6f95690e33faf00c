"""Not a test: takes the pictures of `python -m tests.look`."""

import shutil
from pathlib import Path

import pytest

from tests.pages.browsing import addresses_of_acme, sign_in_without_typing
from tests.pages.provider import fill_operator, fill_rita

FOLDER = Path(__file__).resolve().parents[2] / "var" / "screenshots"
WIDTHS = (1280, 360)
THEMES = ("light", "dark")


@pytest.fixture(scope="module", autouse=True)
def empty_folder() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)


def test_take_pictures(town, live_server, browser) -> None:
    for theme in THEMES:
        for width in WIDTHS:
            context = browser.new_context(
                base_url=live_server.url, color_scheme=theme, viewport={"width": width, "height": 800}
            )
            page = context.new_page()

            def take(name: str, page=page, width=width, theme=theme) -> None:
                page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=True)

            page.goto("/sign-in/")
            take("sign-in")
            page.get_by_label("E-mail address").fill("nobody@acme.example")
            page.get_by_role("button", name="Continue").click()
            take("sign-in-password")
            page.get_by_label("Password").fill("wrong")
            page.get_by_role("button", name="Sign in", exact=True).click()
            take("sign-in-refused")
            sign_in_without_typing(context, town, "anna@acme.example", live_server.url)
            for name, address in addresses_of_acme(town).items():
                page.goto(address)
                take(name)
            page.goto("/mailboxes/add/")
            page.get_by_label("Name").fill("wrong name")
            page.get_by_role("button", name="Create mailbox").click()
            take("mailbox-add-refused")
            if width < 900:
                page.get_by_role("button", name="Menu").click()
                take("menu")
            sign_in_without_typing(context, town, "rita@rita.example", live_server.url)
            for name in ("", "domains", "mailboxes", "customers"):
                page.goto(f"/{name}/".replace("//", "/"))
                take(f"rita-{name or 'home'}")
            sign_in_without_typing(context, town, "operator@mailhost.example", live_server.url)
            page.goto("/style/")
            take("style")
            sign_in_without_typing(context, town, "bill@acme.example", live_server.url)
            page.goto("/")
            take("home-billing")
            page.goto("/mailboxes/")
            take("not-allowed")
            context.close()


def test_take_pictures_of_what_resellers_and_operators_see(town, live_server, browser) -> None:
    seen = {"rita@rita.example": fill_rita(town), "operator@mailhost.example": fill_operator(town)}
    for theme in THEMES:
        for width in WIDTHS:
            context = browser.new_context(
                base_url=live_server.url, color_scheme=theme, viewport={"width": width, "height": 800}
            )
            page = context.new_page()
            for email, addresses in seen.items():
                sign_in_without_typing(context, town, email, live_server.url)
                for name, address in addresses.items():
                    page.goto(address)
                    page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=True)
            context.close()
