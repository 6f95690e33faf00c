"""Every page, in both themes and on a narrow screen: for who cannot see it, and for who has little room."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.pages.browsing import sign_in_without_typing
from tests.pages.sights import lookers

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# Its inside is drawn by Swagger UI, as the package brings it.
FOREIGN = frozenset({"api-docs"})


@pytest.mark.parametrize(("theme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"])
def test_axe_finds_nothing_on_any_page(watched, town, live_server, theme, size):
    found, too_wide = {}, {}

    for looker in lookers(town):
        # Still: axe would measure the contrast of a sheet that is only fading in.
        page = watched(color_scheme=theme, viewport=size, reduced_motion="reduce")
        looker.enter(page.context, live_server.url)
        for name, address in looker.pages.items():
            page.goto(address)
            found[name] = broken_rules(page) if name not in FOREIGN else []
            page.set_viewport_size(NARROW)
            too_wide[name] = name not in FOREIGN and width_of(page) > NARROW["width"]
            page.set_viewport_size(size)

    assert {name: broken for name, broken in found.items() if broken} == {}
    assert [name for name, is_wide in too_wide.items() if is_wide] == []


def test_axe_finds_nothing_in_refused_forms_the_open_menu_and_dialogs(watched, town, live_server):
    page = watched(color_scheme="dark", viewport=NARROW, reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    found = {}

    for name in ("domains", "mailboxes", "aliases", "keys"):
        page.goto(f"/{name}/add/")
        page.locator("main form button.primary").click()
        found[f"refused in {name}"] = broken_rules(page)
    page.get_by_role("button", name="Menu").click()
    found["menu"] = broken_rules(page)
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    page.goto("/style/")
    for name in ("Open a dialog", "Open a side sheet"):
        page.get_by_role("button", name=name).click()
        found[name] = broken_rules(page)
        page.keyboard.press("Escape")

    assert {name: broken for name, broken in found.items() if broken} == {}


def test_a_page_is_light_to_load(watched, town, live_server):
    page = watched()
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))

    page.goto("/mailboxes/", wait_until="networkidle")

    # Before compression; a first visit, with htmx.
    assert sum(sizes.values()) < 150_000, sizes
    assert all(url.startswith(live_server.url) for url in sizes)


def width_of(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def broken_rules(page: Page) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    return [f"{rule['id']}: {node['html'][:160]}" for rule in violations for node in rule["nodes"]]
