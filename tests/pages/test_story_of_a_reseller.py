"""A reseller's and an operator's days, in a real browser."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from health.parts import OUTSIDE
from mailhost.models import Job
from mailhost.scope import every_tenant
from tenants.models import Brand, Tenant
from tests.pages.browsing import sign_in_without_typing
from tests.pages.provider import fill_rita
from tests.pages.town import PASSWORD, Town
from tests.webside import a_picture


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text).first).to_be_visible()


def row_of(page: Page, text: str):
    return page.get_by_role("row").filter(has_text=text)


@pytest.fixture
def rita(watched, town: Town, live_server) -> Page:
    page = watched()
    sign_in_without_typing(page.context, town, "rita@rita.example", live_server.url)
    return page


@pytest.fixture
def operator(watched, town: Town, live_server) -> Page:
    page = watched()
    sign_in_without_typing(page.context, town, "operator@mailhost.example", live_server.url)
    return page


def test_from_a_plan_to_a_customer_with_its_owner_invited(rita):
    rita.goto("/plans/")
    rita.get_by_role("link", name="New plan").first.click()
    rita.get_by_label("Name").fill("Small")
    rita.get_by_label("Mailboxes").fill("5")
    press(rita, "Create plan")
    said(rita, "The plan Small was created")

    rita.goto("/customers/add/")
    rita.get_by_label("Name").fill("Corvo Books")
    rita.get_by_label("Plan").select_option("Small")
    rita.get_by_label("Its owner's e-mail address").fill("not an address")
    press(rita, "Create customer")
    expect(rita.get_by_label("Name")).to_have_value("Corvo Books")
    rita.get_by_label("Its owner's e-mail address").fill("cora@corvo.example")
    press(rita, "Create customer")

    said(rita, "Corvo Books was created. cora@corvo.example is invited as its owner.")
    expect(row_of(rita, "Mailboxes")).to_contain_text("0 of 5")
    expect(row_of(rita, "cora@corvo.example")).to_contain_text("Invited")
    rita.goto("/customers/")
    rita.get_by_role("searchbox").press_sequentially("corvo")
    expect(row_of(rita, "Acme Ltd")).to_have_count(0)
    expect(row_of(rita, "Corvo Books")).to_contain_text("Small, version 1")


def test_suspending_resuming_deleting_and_restoring_without_javascript(watched, town, live_server):
    page = watched(java_script_enabled=False)
    sign_in_without_typing(page.context, town, "rita@rita.example", live_server.url)
    page.goto(f"/customers/{town.bolt.uid}/")

    page.get_by_role("link", name="Suspend", exact=True).click()
    page.get_by_label("Reason").select_option("Spam was sent")
    page.get_by_label("Note").fill("Found on 3 May.")
    page.get_by_label("Receiving mail").uncheck()
    press(page, "Suspend")
    said(page, "Bolt & Sons is suspended.")
    expect(page.get_by_text("Spam was sent: Found on 3 May.").first).to_be_visible()
    expect(page.get_by_text("No mail is sent.")).to_be_visible()
    expect(page.get_by_text("No mail is taken.")).to_have_count(0)
    press(page, "Resume")
    said(page, "Bolt & Sons works again, as it did before.")

    press(page, "Delete Bolt & Sons")
    said(page, "Bolt & Sons was deleted. Restore it until")
    page.goto("/customers/?state=deleted")
    page.get_by_role("link", name="Bolt & Sons").click()
    press(page, "Restore")
    said(page, "Bolt & Sons was restored as it was.")


def test_signing_in_as_a_customers_owner_from_its_page(rita, town):
    rita.goto(f"/customers/{town.acme.uid}/")

    rita.get_by_role("link", name="Sign in as anna@acme.example").click()
    rita.get_by_label("Why?").fill("They asked on the telephone.")
    press(rita, "Sign in as anna@acme.example")

    expect(rita.get_by_role("complementary", name="Signed in as somebody else")).to_contain_text("anna@acme.example")
    press(rita, "Be yourself again")
    expect(rita.get_by_role("heading", name="Rita Hosting")).to_be_visible()


def test_a_new_version_is_previewed_before_customers_move_to_it(rita, town):
    fill_rita(town)
    rita.goto("/plans/")
    rita.get_by_role("link", name="1 on an older version").click()

    expect(row_of(rita, "Acme Ltd")).to_contain_text("Acme Ltd would have 5 mailboxes, and 6 are in use.")
    expect(rita.get_by_role("checkbox", name="Acme Ltd")).not_to_be_checked()
    rita.get_by_role("checkbox", name="Acme Ltd").check()
    press(rita, "Move the chosen customers")
    expect(rita.get_by_role("alert")).to_contain_text("are in use")
    rita.get_by_label("Also those who use more than it allows").check()
    press(rita, "Move the chosen customers")
    said(rita, "1 customer has the present version of Small now.")


def test_moving_a_customer_shows_what_is_in_the_way_first(operator, town):
    from tenants.operations import create_tenant
    from tenants.plan_operations import assign_plan, create_plan

    with every_tenant("the town is built"):
        sela = create_tenant(town.actor, parent=town.operator, kind="reseller", name="Sela Networks")
        tight = create_plan(town.actor, name="Tight", limits={"mailboxes": 2})
        assign_plan(town.actor, tenant=sela, plan=tight)
    operator.goto(f"/customers/{town.acme.uid}/move/")
    operator.get_by_role("link", name="Preview the move below Sela Networks").click()
    expect(operator.get_by_text("Sela Networks would have 2 mailboxes, and 6 are in use.")).to_be_visible()
    expect(operator.get_by_role("button", name=re.compile("^Move below"))).to_have_count(0)

    operator.get_by_role("link", name="Choose another place").click()
    operator.get_by_role("link", name="Preview the move below Mailhost Example").click()
    press(operator, "Move below Mailhost Example")

    said(operator, "Acme Ltd stands below Mailhost Example now.")


def test_a_brand_from_its_preview_to_a_customers_page(rita, town, live_server):
    rita.goto("/branding/")
    preview = rita.locator("#preview")
    rita.get_by_label("Colour on light pages").fill("#ffee00")
    expect(preview.get_by_text("has a contrast of")).to_be_visible()
    rita.get_by_label("Colour on light pages").fill("#7a1fbf")
    expect(preview.get_by_text("has a contrast of")).to_have_count(0)
    button = preview.get_by_text("Sign in", exact=True).first
    expect(button).to_have_css("background-color", "rgb(122, 31, 191)")
    rita.get_by_label("Name", exact=True).fill("Rita Mail")
    press(rita, "Save brand")
    said(rita, "The brand was saved.")

    rita.locator("#id_logo").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": a_picture(300, 100)}
    )
    press(rita, "Save logo")
    said(rita, "The logo was saved.")
    rita.locator("#id_host_name").fill("panel.rita.example")
    press(rita, "Save host name")
    expect(rita.get_by_text("_mailhost-challenge.panel.rita.example")).to_be_visible()
    press(rita, "Check and use it")
    expect(rita.get_by_text("There is no TXT record").first).to_be_visible()

    sign_in_without_typing(rita.context, town, "anna@acme.example", live_server.url)
    rita.goto("/")
    expect(rita).to_have_title("Overview · Rita Mail")
    logo = rita.get_by_role("img", name="Rita Mail")
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(rita.get_by_role("link", name="New mailbox")).to_have_css("background-color", "rgb(122, 31, 191)")
    with every_tenant("a test looks"):
        assert Tenant.objects.get(pk=town.acme.pk).brand == Brand.objects.get()


def test_an_operator_looks_after_the_installation(operator):
    now = timezone.now()
    Job.objects.create(
        task="mailhost.tasks.send_mail",
        queue="default",
        attempts=3,
        error="SMTPServerDisconnected",
        due_at=now,
    )
    operator.goto("/")
    operator.get_by_role("link", name="Health", exact=True).click()
    for part in OUTSIDE:
        expect(operator.get_by_role("rowheader", name=str(part.label), exact=True)).to_be_visible()
    expect(row_of(operator, "Background jobs")).to_contain_text("Does not work")
    expect(row_of(operator, "Background jobs")).to_contain_text("Open Background jobs")

    operator.goto("/jobs/?state=failing")
    expect(row_of(operator, "send mail")).to_contain_text("SMTPServerDisconnected")
    operator.get_by_role("button", name=re.compile("^Discard job")).click()
    said(operator, "The job was discarded and never runs.")
    operator.goto("/customers/tree/")
    expect(operator.get_by_role("link", name="Acme Ltd")).to_be_visible()
    operator.locator("summary").nth(1).press("Enter")
    expect(operator.get_by_role("link", name="Acme Ltd")).to_be_hidden()


def test_an_operator_tries_the_components_on_the_style_page(operator):
    operator.goto("/")
    operator.get_by_role("link", name="Style", exact=True).click()
    expect(operator.get_by_role("heading", name="Style", exact=True)).to_be_visible()

    press(operator, "Open a dialog")
    operator.get_by_role("dialog", name="Suspend the mailbox").get_by_role("button", name="Cancel").click()
    expect(operator.get_by_role("dialog")).to_have_count(0)
    press(operator, "Open a side sheet")
    expect(operator.get_by_role("dialog", name="A mailbox")).to_be_visible()
    operator.keyboard.press("Escape")
    expect(operator.get_by_role("dialog")).to_have_count(0)
    press(operator, "Show a toast")
    expect(operator.locator("#toasts")).to_contain_text("anna@acme.example was suspended.")


def test_an_operator_reads_the_rows_of_the_database_behind_the_panels_sign_in(operator):
    operator.goto("/health/")
    operator.get_by_role("link", name="Rows of the database (Django admin)").click()
    operator.get_by_role("link", name="Members", exact=True).click()
    row_of(operator, "anna@acme.example").get_by_role("link").first.click()
    expect(operator.get_by_text("Acme Ltd").first).to_be_visible()
    expect(operator.get_by_role("button", name="Save")).to_have_count(0)

    press(operator, "Log out")
    operator.goto("/admin/")
    operator.get_by_label("E-mail address").fill("operator@mailhost.example")
    press(operator, "Continue")
    operator.get_by_label("Password").fill(PASSWORD)
    press(operator, "Sign in")
    expect(operator).to_have_url(re.compile("/admin/$"))
    operator.get_by_role("link", name="View site").click()
    expect(operator.get_by_role("heading", name="Mailhost Example")).to_be_visible()
