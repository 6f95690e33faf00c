"""A customer's way from the sign-in to mail, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from domains.models import Domain
from longwork.models import LongWork
from longwork.tasks import run
from mailboxes.models import Mailbox
from mailhost.scope import every_tenant
from tests.pages.browsing import sign_in_without_typing
from tests.pages.town import PASSWORD, Town, show_records
from tests.world import prove

WEAK = "secret"


def field(page: Page, label: str):
    return page.get_by_label(label, exact=True)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str) -> None:
    """The page says this fact, where screen readers announce it too."""
    expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible()


def row_of(page: Page, text: str):
    return page.get_by_role("row").filter(has_text=text)


@pytest.fixture
def anna(watched, town: Town, live_server) -> Page:
    """Anna, who owns Acme, signed in."""
    page = watched()
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    return page


def test_signing_in_by_keyboard_alone(watched, town):
    page = watched()
    page.goto("/mailboxes/")

    page.keyboard.type("anna@acme.example")
    page.keyboard.press("Enter")
    expect(field(page, "Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Mailboxes")).to_be_visible()
    # The first stop of the keyboard skips the menu.
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Bin")).to_be_focused()


def test_adding_a_domain_and_seeing_what_to_publish(anna):
    anna.goto("/domains/")
    anna.get_by_role("link", name="Add domain").click()
    field(anna, "Domain name").fill("not a name")
    press(anna, "Add domain")

    expect(anna.get_by_role("alert")).to_be_focused()
    expect(field(anna, "Domain name")).to_have_value("not a name")
    expect(field(anna, "Domain name")).to_have_attribute("aria-invalid", "true")

    field(anna, "Domain name").fill("Bücher.example")
    press(anna, "Add domain")
    said(anna, "bücher.example was added")
    with every_tenant("a worker makes the records"):
        show_records(Domain.objects.get(domain_name="xn--bcher-kva.example"), None, {})
    anna.reload()

    ownership = anna.get_by_role("article", name="Ownership")
    expect(ownership).to_contain_text("_mailhost-challenge")
    expect(ownership).to_contain_text("Required")
    expect(ownership).to_contain_text("Not checked")
    press(anna, "Verify ownership")
    expect(anna.get_by_text("is not in the DNS yet")).to_be_visible()


def test_copying_a_record(watched, town, live_server):
    page = watched(permissions=["clipboard-read", "clipboard-write"])
    sign_in_without_typing(page.context, town, "anna@acme.example", live_server.url)
    with every_tenant("a test names a row"):
        uid = Domain.objects.get(domain_name="acme.example").uid
    page.goto(f"/domains/{uid}/")

    page.get_by_role("article", name="Policy").get_by_role("button", name="Copy the value").click()

    said(page, "the value was copied")
    assert page.evaluate("navigator.clipboard.readText()") == "v=DMARC1; p=none"


def test_a_mailbox_from_its_creation_to_the_bin_and_back(anna):
    anna.goto("/mailboxes/")
    anna.get_by_role("link", name="New mailbox").click()
    field(anna, "Name").fill("eva")
    field(anna, "Domain").select_option("acme.example")
    anna.get_by_label("Person or purpose").fill("Eva Ernst")
    field(anna, "Storage").fill("2 GB")
    expect(anna.get_by_text("eva@acme.example is free.")).to_be_visible()
    anna.get_by_label("With a password that I type").check()
    field(anna, "Password").fill(WEAK)
    press(anna, "Create mailbox")

    # Only the password has to be typed again.
    expect(field(anna, "Name")).to_have_value("eva")
    expect(anna.get_by_label("Person or purpose")).to_have_value("Eva Ernst")
    expect(field(anna, "Storage")).to_have_value("2 GB")
    expect(field(anna, "Password")).to_have_value("")

    press(anna, "Fill in a random one")
    assert len(field(anna, "Password").input_value()) == 20
    press(anna, "Create mailbox")
    expect(anna.get_by_role("heading", name="eva@acme.example was created")).to_be_visible()
    expect(anna.get_by_text("port").first).to_be_visible()
    anna.get_by_role("link", name="Open the mailbox").click()

    field(anna, "Storage").fill("512")
    anna.get_by_label("POP3").uncheck()
    press(anna, "Save settings")
    said(anna, "The settings of eva@acme.example were saved")
    expect(field(anna, "Storage")).to_have_value("512 MB")
    expect(anna.get_by_label("POP3")).not_to_be_checked()

    press(anna, "Suspend mailbox")
    said(anna, "eva@acme.example was suspended")
    press(anna, "Resume mailbox")
    said(anna, "eva@acme.example works again")
    press(anna, "Delete mailbox")
    said(anna, "eva@acme.example was deleted")
    press(anna, "Restore eva@acme.example")
    said(anna, "eva@acme.example was restored")
    with every_tenant("a test looks at the row"):
        eva = Mailbox.objects.live().get(email="eva@acme.example")
    assert (eva.storage_quota, eva.pop3_enabled, eva.is_active, eva.display_name) == (512, False, True, "Eva Ernst")


def test_an_address_that_is_taken_is_told_while_it_is_typed(anna):
    anna.goto("/mailboxes/add/")
    field(anna, "Domain").select_option("acme.example")

    field(anna, "Name").press_sequentially("ben")

    verdict = anna.locator("#availability")
    expect(verdict).to_contain_text("There is a mailbox ben@acme.example already")
    verdict.get_by_role("link", name="Open it").click()
    expect(anna.get_by_role("heading", name="ben@acme.example")).to_be_visible()


def test_several_mailboxes_by_keyboard_alone(anna):
    anna.goto("/mailboxes/")

    anna.get_by_label("Select all on this page").focus()
    anna.keyboard.press("Space")
    expect(anna.get_by_text("Selected: 6")).to_be_visible()
    anna.keyboard.press("Tab")
    anna.keyboard.press("Space")
    expect(anna.get_by_text("Selected: 5")).to_be_visible()
    anna.get_by_label("New size").focus()
    anna.keyboard.type("3 GB")
    anna.keyboard.press("Tab")
    anna.keyboard.press("Enter")

    said(anna, "5 mailboxes have their new size")
    expect(row_of(anna, "sales@acme.example")).to_contain_text("of 3 GB")


def test_a_pasted_list_from_its_preview_to_its_end(anna):
    anna.goto("/aliases/")
    anna.get_by_role("link", name="Paste a list").click()
    expect(anna.get_by_label("Aliases")).to_be_checked()
    anna.get_by_label("Or paste rows").fill(
        "crew@acme.example: ben@acme.example\nx@elsewhere.example: ben@acme.example"
    )
    press(anna, "Look at it first")

    expect(row_of(anna, "crew@acme.example")).to_contain_text("New")
    expect(row_of(anna, "x@elsewhere.example")).to_contain_text("is not one of your domains")
    press(anna, "Import what can be taken")
    expect(anna.get_by_text("0 of 2 rows")).to_be_visible()
    with every_tenant("a worker knows no tenant"):
        work = LongWork.objects.latest("pk")
        while run(work.pk):
            pass

    # The page that is looked at follows by itself.
    expect(anna.get_by_text("Done, some refused")).to_be_visible()
    expect(anna.get_by_role("link", name="Download the report")).to_be_visible()
    anna.get_by_role("link", name="To the aliases").click()
    expect(row_of(anna, "crew@acme.example")).to_contain_text("ben@acme.example")


def test_who_left_an_import_is_told_of_its_end_on_the_page_they_are_on(anna):
    anna.goto("/import/?kind=aliases")
    anna.get_by_label("Or paste rows").fill("crew@acme.example: ben@acme.example")
    press(anna, "Look at it first")
    press(anna, "Import what can be taken")
    anna.get_by_role("link", name="Domains", exact=True).click()
    field = anna.get_by_role("searchbox")
    field.fill("acme")
    with every_tenant("a worker knows no tenant"):
        work = LongWork.objects.latest("pk")
        while run(work.pk):
            pass

    said(anna, "has ended.")
    expect(field).to_be_focused()
    anna.get_by_role("link", name="See what has come of it").click()
    expect(anna.get_by_text("Done", exact=True)).to_be_visible()


def test_finding_a_mailbox_while_typing(anna):
    anna.goto("/mailboxes/")
    expect(row_of(anna, "ben@acme.example")).to_be_visible()

    anna.get_by_role("searchbox").press_sequentially("carla")

    expect(row_of(anna, "ben@acme.example")).to_have_count(0)
    expect(row_of(anna, "carla@acme.example")).to_contain_text("Suspended")
    expect(anna.get_by_role("searchbox")).to_be_focused()
    assert anna.url.endswith("/mailboxes/?q=carla")


def test_an_alias_with_two_targets(anna):
    anna.goto("/aliases/")
    anna.get_by_role("link", name="New alias").click()
    anna.get_by_label("Name").fill("team")
    field(anna, "Domain").select_option("acme.example")
    anna.get_by_label("Deliver to").fill("anna@acme.example\nnobody")
    press(anna, "Create alias")

    expect(anna.get_by_label("Deliver to")).to_have_value("anna@acme.example\nnobody")
    expect(anna.get_by_label("Deliver to")).to_have_attribute("aria-invalid", "true")

    anna.get_by_label("Deliver to").fill("anna@acme.example\nfriend@elsewhere.example")
    press(anna, "Create alias")
    said(anna, "team@acme.example was created")
    expect(row_of(anna, "team@acme.example")).to_contain_text("friend@elsewhere.example")
    press(anna, "Switch off: team@acme.example to friend@elsewhere.example")
    said(anna, "is no longer delivered to friend@elsewhere.example")
    press(anna, "Remove friend@elsewhere.example from team@acme.example")
    expect(row_of(anna, "team@acme.example")).not_to_contain_text("friend@elsewhere.example")
    press(anna, "Undo")
    said(anna, "team@acme.example leads to friend@elsewhere.example again.")
    # As it was: switched off.
    expect(anna.get_by_role("button", name="Switch on: team@acme.example to friend@elsewhere.example")).to_be_visible()


def test_a_domain_is_removed_by_its_typed_name_and_restored(anna):
    with every_tenant("a test names a row"):
        uid = Domain.objects.get(domain_name="acme-labs.example").uid
    anna.goto(f"/domains/{uid}/settings/")
    field(anna, "Type the name of the domain").fill("acme.example")
    press(anna, "Remove domain")

    expect(anna.get_by_text("This is not its name").first).to_be_visible()

    field(anna, "Type the name of the domain").fill("ACME-labs.example")
    press(anna, "Remove domain")
    said(anna, "acme-labs.example was removed")
    press(anna, "Restore acme-labs.example")
    said(anna, "acme-labs.example was restored")
    anna.goto("/domains/")
    expect(row_of(anna, "acme-labs.example")).to_be_visible()


def test_an_api_key_is_shown_once(anna):
    anna.goto("/keys/add/")
    field(anna, "What is it for?").fill("Backup")
    mailboxes = anna.get_by_role("radiogroup", name="Mailboxes, their passwords and switches")
    mailboxes.get_by_label("Read", exact=True).check()
    press(anna, "Create key")

    text = anna.locator("#key").inner_text()
    assert text.startswith("mh_live_")
    anna.get_by_role("link", name="I have copied it").click()
    expect(row_of(anna, "Backup")).to_be_visible()
    assert text not in anna.content()
    press(anna, "Revoke key Backup")
    said(anna, "The key Backup was revoked")
    expect(row_of(anna, "Backup")).to_have_count(0)
    press(anna, "Undo")
    said(anna, "The key Backup opens again what it did")
    expect(row_of(anna, "Backup")).to_be_visible()


def test_all_of_it_without_javascript(watched, town):
    page = watched(java_script_enabled=False)
    page.goto("/")
    field(page, "E-mail address").fill("anna@acme.example")
    press(page, "Continue")
    field(page, "Password").fill(PASSWORD)
    press(page, "Sign in")

    page.goto("/mailboxes/add/")
    field(page, "Name").fill("eva")
    press(page, "Create mailbox")
    expect(page.get_by_role("heading", name="eva@acme.example was created")).to_be_visible()
    expect(page.locator("#generated")).to_have_text(re.compile(r"^\w{20}$"))
    page.goto("/mailboxes/")
    page.get_by_label("Select ben@acme.example").check()
    press(page, "Suspend")
    said(page, "1 mailbox was suspended")
    press(page, "Undo")
    said(page, "1 mailbox works again")
    page.get_by_role("searchbox").fill("eva")
    press(page, "Search")
    expect(row_of(page, "eva@acme.example")).to_be_visible()
    expect(row_of(page, "anna@acme.example")).to_have_count(0)
    press(page, "Sign out")
    said(page, "You are signed out")


def test_what_is_switched_off_can_be_switched_on(anna, town):
    with every_tenant("a test names a row"):
        old = Domain.objects.get(domain_name="old-acme.example")
    prove(old)
    anna.goto(f"/domains/{old.uid}/settings/")

    press(anna, "Switch on domain")
    said(anna, "old-acme.example was switched on again")
    press(anna, "Switch off domain")
    said(anna, "old-acme.example was switched off")


def test_a_domain_is_added_over_the_list_and_a_change_is_read_beside_the_log(anna):
    anna.goto("/domains/")
    opener = anna.get_by_role("link", name="Add domain")
    opener.click()
    dialog = anna.get_by_role("dialog", name="Add a domain")
    expect(field(anna, "Domain name")).to_be_focused()
    anna.keyboard.type("https://www.Bücher.example/shop")
    expect(dialog.get_by_text("xn--bcher-kva.example")).to_be_visible()
    expect(anna).to_have_title(re.compile("^Domains"))
    anna.keyboard.press("Escape")
    expect(opener).to_be_focused()

    anna.goto("/audit/")
    anna.get_by_role("rowheader").first.get_by_role("link").click()
    sheet = anna.get_by_role("dialog", name="A change")
    expect(sheet.get_by_text("Place in the chain")).to_be_visible()
    assert anna.url.endswith("/audit/")
