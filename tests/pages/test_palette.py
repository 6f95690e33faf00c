"""The command palette by keyboard alone, for who cannot see it, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.pages.browsing import sign_in_without_typing
from tests.pages.test_looks import broken_rules


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_mailbox_is_opened_by_keyboard_alone(watched, town, live_server, theme):
    page = watched(color_scheme=theme, reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    page.goto("/domains/")

    page.keyboard.press("Control+k")
    words = page.get_by_role("combobox", name="Search domains, addresses, pages and acts")
    expect(words).to_be_focused()
    expect(page.get_by_role("option", name="Add a domain")).to_be_visible()
    assert broken_rules(page) == []
    page.keyboard.type("anna@")
    first = page.get_by_role("option", name="anna@acme.example").first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(words).to_have_attribute("aria-activedescendant", first.get_attribute("id"))
    assert broken_rules(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="anna@acme.example")).to_be_visible()


def test_escape_and_the_button_close_and_open_it(watched, town, live_server):
    page = watched(viewport={"width": 360, "height": 740})
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    page.goto("/domains/")

    way = page.get_by_role("link", name="Search", exact=True)
    way.click()
    expect(page.get_by_role("dialog", name="Search and commands")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(way).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.url.endswith("/domains/")


def test_without_javascript_it_is_a_page(watched, town, live_server):
    page = watched(java_script_enabled=False)
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    page.goto("/")

    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_role("searchbox", name="Search for").fill("anna@")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="anna@acme.example").first.click()

    expect(page.get_by_role("heading", name="anna@acme.example")).to_be_visible()
