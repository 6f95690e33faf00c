"""Customers and mailbox users on the running stack: its web server, worker, mail and name server."""

import imaplib
import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from redis import Redis

from accounts.actors import system_actor
from accounts.invitation_operations import invite_member
from mailboxes.last_logins import store_last_logins
from mailhost.scope import every_tenant
from tenants.models import Kind, Role, Tenant
from tenants.operations import create_tenant, found_installation
from tests.mail.client import Post
from tests.mail.conftest import PASSWORD as FORMER
from tests.mail.conftest import make_customer
from tests.pages.conftest import is_complaint
from tests.pages.test_ways_in import with_authenticator
from tests.stackside import StackSide

PASSWORD = "Ein-ganz-neuer-Anfang-9"
# Of the worker that makes the key, of the name server that takes it, and of the look that finds it.
PATIENCE_MS = 30_000


@pytest.fixture
def visit(live: StackSide, browser: Browser) -> Iterator[Callable[[], Page]]:
    """Open a page of the stack's panel; whatever the strict policy or a script complains about fails the test."""
    complaints, contexts = [], []

    def open_page() -> Page:
        # Browsers give passkeys to names, not to addresses.
        url = live.info["web"]["url"].replace("127.0.0.1", "localhost")
        contexts.append(browser.new_context(base_url=url, reduced_motion="reduce"))
        contexts[-1].set_default_timeout(15_000)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)


def invite_owner(tenant_name: str, email: str) -> None:
    """Do what an operator does for a new customer: the worker sends the mail."""
    with every_tenant("a test makes a customer below the operator"):
        operator = Tenant.objects.filter(kind=Kind.OPERATOR).order_by("pk").first()
        operator = operator or found_installation("Operator")
        root = system_actor(operator, "tests")
        tenant = create_tenant(root, parent=operator, kind=Kind.CUSTOMER, name=tenant_name)
        invite_member(root, email=email, role=Role.OWNER, tenant=tenant)


def link_in_mail(post: Post, email: str) -> str:
    """Wait for what the stack sends to this person outside; return the path of the link in it."""
    letter = post.left_for_outside(f"To: {email}")
    return re.search(r"https?://[^/\s]+(/invitations/\S+)", letter.get_content())[1]


def publish_from_the_page(page: Page, dns: dict) -> None:
    """Connect the name server of the stack by its update key, look at the difference, and publish it."""
    page.get_by_role("link", name="Publishing", exact=True).click()
    own = page.get_by_role("region", name="Publish at a name server of your own")
    own.get_by_label("Primary name server").fill(dns["host"])
    own.get_by_label("Port").fill(str(dns["port"]))
    own.get_by_label("Zone").fill(dns["zones"][0])
    own.get_by_label("Name of the key").fill(dns["update_key"]["name"])
    own.get_by_label("Algorithm").select_option(dns["update_key"]["algorithm"])
    own.get_by_label("Secret").fill(dns["update_key"]["secret"])
    own.get_by_role("button", name="Connect").click()
    press(page, re.compile(r"^Publish \d+ changes$"))
    expect(page.get_by_text(re.compile(r"^\d+ changes were published\.$"))).to_be_visible()


def test_a_customers_way_from_an_invitation_to_mail_that_is_read(live, visit):
    mark, post, page = secrets.token_hex(4), Post(live), with_authenticator(visit())
    name, email = f"nordlicht-{mark}.example", f"nora-{mark}@elsewhere.example"
    invite_owner("Nordlicht", email)

    page.goto(link_in_mail(post, email))
    fill(page, "Choose a password", PASSWORD)
    press(page, "Join Nordlicht")
    expect(page.get_by_text("Welcome to Nordlicht.")).to_be_visible()
    page.get_by_role("link", name="Security", exact=True).click()
    page.get_by_role("link", name="Add a passkey").click()
    fill(page, "Name of the passkey", "Laptop")
    press(page, "Add passkey")
    page.get_by_role("link", name="I have written them down").click()
    # The passkey alone opens the panel again: the device says yes by itself.
    with page.expect_request(lambda sent: sent.method == "POST" and sent.url.endswith("/sign-in/passkey/")):
        press(page, "Sign out")
    expect(page.get_by_role("heading", name="Nordlicht")).to_be_visible()

    page.get_by_role("link", name="Domains", exact=True).click()
    page.get_by_role("link", name="Add domain").first.click()
    fill(page, "Domain name", f"https://www.{name}/contact")
    press(page, "Add domain")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    publish_from_the_page(page, live.info["dns"])
    # The page is left as it is and follows: proof, key, answers.
    for word in ("Owned", "Receives", "Sends"):
        expect(page.get_by_text(word, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Verify ownership")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text(re.compile(r"(\d+) of \1 records are right"))

    page.get_by_role("link", name="Mailboxes", exact=True).first.click()
    page.get_by_role("link", name="New mailbox").first.click()
    fill(page, "Name", "nora")
    page.get_by_label("Domain", exact=True).select_option(name)
    press(page, "Create mailbox")
    login = (f"nora@{name}", page.locator("#generated").inner_text())
    arrived = post.arrived(login, post.deliver(login[0], body="The first one.\n"))
    assert "The first one." in arrived.get_content()


def refuses(post: Post, login: tuple[str, str]) -> bool:
    try:
        post.imap(login).logout()
    except imaplib.IMAP4.error:
        return True
    return False


def test_a_mailbox_users_way_on_their_own_site(live, visit):
    customer, post, page = make_customer(live, "sued"), Post(live), visit()
    emma, former = customer.address("emma"), customer.login("emma")
    post.deliver(emma, body="x" * 200_000)

    page.goto("/sign-in/")
    page.get_by_role("link", name="sign in with its password").click()
    fill(page, "Mail address", emma)
    fill(page, "Password", FORMER)
    press(page, "Sign in")
    expect(page.get_by_role("heading", name=emma)).to_be_visible()
    expect(page.get_by_text("No mail program has signed in yet.")).to_be_visible()

    page.get_by_role("link", name="Change password").click()
    fill(page, "Present password", FORMER)
    fill(page, "New password", PASSWORD)
    press(page, "Change password")
    expect(page.get_by_role("status").filter(has_text="Your password was changed.")).to_be_visible()
    assert refuses(post, former)
    assert len(post.inbox((emma, PASSWORD))) == 1

    page.get_by_role("link", name="App passwords").click()
    page.get_by_role("link", name="New app password").click()
    fill(page, "Program or device", "Telephone")
    press(page, "Create app password")
    text = page.locator("#password").inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("row").filter(has_text="Telephone")).to_be_visible()
    assert len(post.inbox((emma, text))) == 1
    page.get_by_role("link", name="Revoke app password Telephone").click()
    fill(page, "Type Telephone to go on", "Telephone")
    press(page, "Revoke app password")
    expect(page.get_by_role("status").filter(has_text="was revoked")).to_be_visible()
    assert refuses(post, (emma, text))

    # The clock of every half minute, now.
    with every_tenant("a worker stores who signed in"):
        store_last_logins(Redis.from_url(live.info["redis"]["url"]))
    page.get_by_role("link", name="Your mailbox").click()
    expect(page.get_by_text("of 100 MB")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Newest by a mail program: .* \(IMAP\)\.$"))).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="This one")).to_contain_text("Chrom")
    page.get_by_role("link", name="Set up a device").click()
    expect(page.get_by_text(live.info["tls"]["hostname"]).first).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")

    # The panel knows nobody here.
    page.goto("/mailboxes/")
    expect(page.get_by_label("E-Mail-Adresse")).to_be_visible()
    page.goto("/mailbox/")
    press(page, "Abmelden")
    page.goto("/mailbox/app-passwords/")
    expect(page).to_have_url(re.compile("/mailbox/sign-in/$"))
