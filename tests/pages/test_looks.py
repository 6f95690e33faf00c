"""Every page, in both themes and on a narrow screen: for who cannot see it, and for who has little room."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.pages.browsing import addresses_of_acme, sign_in_without_typing
from tests.pages.provider import fill_operator, fill_rita

NARROW = {"width": 360, "height": 740}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(watched, town, live_server, theme):
    # Still: axe would measure the contrast of a sheet that is only fading in.
    page = watched(color_scheme=theme, reduced_motion="reduce")
    found = {"sign-in": faults(page, "/sign-in/")}
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)

    for name, address in addresses_of_acme(town).items():
        found[name] = faults(page, address)
    sign_in_without_typing(page.context, town, "rita@rita.example", live_server.url)
    found["customers"] = faults(page, "/customers/")
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    found["style"] = faults(page, "/style/")
    for name in ("Open a dialog", "Open a side sheet"):
        page.get_by_role("button", name=name).click()
        found[name] = broken_rules(page)
        page.keyboard.press("Escape")

    assert {name: broken for name, broken in found.items() if broken} == {}


def test_axe_finds_nothing_on_a_narrow_screen_and_in_refused_forms(watched, town, live_server):
    page = watched(color_scheme="dark", viewport=NARROW)
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    found = {name: faults(page, address) for name, address in addresses_of_acme(town).items()}

    for name in ("domains", "mailboxes", "aliases", "keys"):
        page.goto(f"/{name}/add/")
        page.locator("main form button.primary").click()
        found[f"refused in {name}"] = broken_rules(page)
    page.get_by_role("button", name="Menu").click()
    found["menu"] = broken_rules(page)

    assert {name: broken for name, broken in found.items() if broken} == {}


def test_nothing_scrolls_sideways_at_360_pixels(watched, town, live_server):
    page = watched(viewport=NARROW)
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    too_wide = {}

    for name, address in addresses_of_acme(town).items():
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            too_wide[name] = width

    assert too_wide == {}


def test_a_page_is_light_to_load(watched, town, live_server):
    page = watched()
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))

    page.goto("/mailboxes/", wait_until="networkidle")

    # Before compression; a first visit, with htmx.
    assert sum(sizes.values()) < 150_000, sizes
    assert all(url.startswith(live_server.url) for url in sizes)


def faults(page: Page, address: str) -> list[str]:
    page.goto(address)
    return broken_rules(page)


def broken_rules(page: Page) -> list[str]:
    answer = Axe().run(page).response
    return [f"{rule['id']}: {node['html'][:160]}" for rule in answer["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_what_resellers_and_operators_see(watched, town, live_server, theme):
    page = watched(color_scheme=theme, viewport=NARROW)
    found, too_wide = {}, {}

    for email, addresses in (
        ("rita@rita.example", fill_rita(town)),
        ("operator@mailhost.example", fill_operator(town)),
    ):
        sign_in_without_typing(page.context, town, email, live_server.url)
        for name, address in addresses.items():
            found[name] = faults(page, address)
            too_wide[name] = page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]

    assert {name: broken for name, broken in found.items() if broken} == {}
    assert [name for name, is_wide in too_wide.items() if is_wide] == []
