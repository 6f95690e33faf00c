"""Whole flows by keyboard alone, with a focus that is always seen; what swaps and the way back leave behind."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from dns.early_answers import EarlyAnswers
from dns.models import DnsRecord
from domains.models import Domain
from mailhost.scope import every_tenant
from tests.pages.browsing import sign_in_without_typing
from tests.pages.town import Town

MOST_STOPS = 60
# What marks the focused element for the eye.
HAS_RING = """() => {
  const style = getComputedStyle(document.activeElement);
  return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
}"""


@pytest.fixture
def anna(watched, town: Town, live_server) -> Page:
    page = watched(reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    return page


def go_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until `target` has the focus; each stop on the way is seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        assert page.evaluate(HAS_RING), page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by {MOST_STOPS} presses of {key}")


def enter(page: Page) -> None:
    """Press Enter on what leads to another page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def follow(page: Page, name: str, role: str = "link") -> None:
    go_to(page, page.get_by_role(role, name=name, exact=True).first)
    enter(page)


def skip_the_menu(page: Page) -> None:
    go_to(page, page.get_by_role("link", name="Skip to the content"))
    page.keyboard.press("Enter")


def type_into(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label).first
    if not field.evaluate("element => element === document.activeElement"):
        go_to(page, field)
    page.keyboard.type(text)


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible()


def test_a_domain_by_keyboard_alone(anna):
    anna.goto("/")

    follow(anna, "Domains")
    skip_the_menu(anna)
    go_to(anna, anna.get_by_role("link", name="Add domain", exact=True))
    anna.keyboard.press("Enter")
    expect(anna.get_by_role("dialog", name="Add a domain").get_by_label("Domain name")).to_be_focused()
    anna.keyboard.type("keys.example")
    enter(anna)
    said(anna, "keys.example was added")
    follow(anna, "Settings")
    type_into(anna, "Type the name of the domain", "keys.example")
    enter(anna)

    said(anna, "keys.example was removed")
    follow(anna, "Restore keys.example", "button")
    said(anna, "keys.example was restored")


def test_a_mailbox_and_an_alias_by_keyboard_alone(anna):
    anna.goto("/")

    anna.keyboard.press("Control+k")
    anna.keyboard.type("create a mailbox")
    expect(anna.get_by_role("option", name="Create a mailbox")).to_have_attribute("aria-selected", "true")
    enter(anna)
    type_into(anna, "Name", "eva")
    enter(anna)
    expect(anna.get_by_role("heading", name=re.compile("^eva@.* was created$"))).to_be_visible()

    follow(anna, "Aliases")
    skip_the_menu(anna)
    follow(anna, "New alias")
    type_into(anna, "Name", "crew")
    type_into(anna, "Deliver to", "ben@acme.example")
    follow(anna, "Create alias", "button")
    said(anna, "was created")


def test_what_opens_over_the_page_is_closed_by_escape_and_gives_the_focus_back(watched, town, live_server):
    page = watched(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    page.goto("/style/")

    for way, name in (("Open a dialog", "Suspend the mailbox"), ("Open a side sheet", "A mailbox")):
        opener = page.get_by_role("button", name=way)
        opener.focus()
        page.keyboard.press("Enter")
        inside = page.get_by_role("dialog", name=name)
        expect(inside).to_be_visible()
        for _ in range(6):
            page.keyboard.press("Tab")
            # Out of the dialog the focus may go to the browser's own buttons, never to the page below.
            assert inside.evaluate(
                "it => it.contains(document.activeElement) || document.activeElement === document.body"
            )
        page.keyboard.press("Escape")
        expect(inside).to_be_hidden()
        expect(opener).to_be_focused()
    menu = page.get_by_role("button", name="Menu")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Overview")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(menu).to_be_focused()


def test_a_list_that_was_narrowed_is_told_named_and_left_by_the_way_back(anna):
    anna.goto("/mailboxes/")
    anna.get_by_role("searchbox").press_sequentially("car")
    expect(anna).to_have_title(re.compile("^car · Mailboxes · "))
    anna.get_by_role("searchbox").press_sequentially("la")

    expect(anna.locator("#announcer")).to_have_text("1 mailbox shown")
    expect(anna).to_have_title(re.compile("^carla · Mailboxes · "))
    expect(anna.get_by_role("searchbox")).to_be_focused()
    anna.get_by_role("link", name="carla@acme.example").click()
    expect(anna.get_by_role("heading", name="carla@acme.example")).to_be_visible()
    anna.go_back()
    expect(anna).to_have_title(re.compile("^carla · Mailboxes · "))
    expect(anna.get_by_role("row")).to_have_count(2)
    anna.go_back()

    expect(anna).to_have_title(re.compile("^Mailboxes · "))
    expect(anna.get_by_role("searchbox")).to_have_value("")
    expect(anna.get_by_role("link", name="ben@acme.example")).to_be_visible()
    # The page that came back is a whole one: its keys work.
    anna.keyboard.press("Control+k")
    expect(anna.get_by_role("dialog", name="Search and commands")).to_be_visible()
    anna.keyboard.press("Escape")
    anna.go_forward()
    expect(anna.get_by_role("searchbox")).to_have_value("carla")


def test_the_focus_survives_what_a_swap_takes_away(anna):
    with every_tenant("a test names a row"):
        domain = Domain.objects.get(domain_name="acme.example")
    anna.goto(f"/domains/{domain.uid}/")
    with anna.expect_response(re.compile("checking=")):
        anna.get_by_role("button", name="Check records now").click()
    expect(anna.get_by_text("DNS is being asked.")).to_be_visible()
    again = anna.get_by_role("button", name="Check records now")
    again.focus()

    with every_tenant("a worker writes what it found"):
        DnsRecord.objects.filter(domain=domain).update(last_checked_at=timezone.now() + timedelta(seconds=1))
    expect(anna.get_by_text("Last checked just now.")).to_be_visible()
    expect(again).to_be_focused()


def test_rows_turn_as_answers_come_and_a_section_stays_as_one_has_left_it(anna):
    with every_tenant("a test names rows"):
        domain = Domain.objects.get(domain_name="acme.example")
        first, second = DnsRecord.objects.of_domain(domain).exclude(necessity="optional").order_by("pk")[:2]
    anna.goto(f"/domains/{domain.uid}/")
    with anna.expect_response(re.compile("checking=")):
        anna.get_by_role("button", name="Check records now").click()
    rows = {row.pk: anna.locator(f"#record-{row.uid}") for row in (first, second)}
    for row in rows.values():
        expect(row.locator("header")).to_contain_text("DNS is being asked")
    section = anna.locator("details[id^=found-]").first
    section.locator("summary").click()
    was_open = section.get_attribute("open")

    first.status, first.problem, first.problem_said = "missing", "Nobody found it.", {}
    EarlyAnswers(domain, timezone.now()).tell(first)

    expect(rows[first.pk].locator("header")).to_contain_text("Missing")
    expect(rows[first.pk]).to_contain_text("Nobody found it.")
    expect(rows[second.pk].locator("header")).to_contain_text("DNS is being asked")
    expect(anna.locator(f"#status-{first.purpose}")).to_have_text("0 of 1 found")
    expect(anna.locator("#announcer")).to_have_text("Prove that it is yours: 0 of 1 found. ")
    expect(anna.locator(f"#status-{second.purpose}")).to_have_text("DNS is being asked")
    with every_tenant("a worker writes what it found"):
        DnsRecord.objects.filter(domain=domain).update(last_checked_at=timezone.now() + timedelta(seconds=1))
    expect(anna.get_by_text("Last checked just now.")).to_be_visible()
    expect(anna.get_by_text("DNS is being asked")).to_have_count(0)
    assert section.get_attribute("open") == was_open
