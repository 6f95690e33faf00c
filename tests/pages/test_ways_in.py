"""Second factors, passkeys, invitations and acting as somebody, as people meet them in the browser."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from playwright.sync_api import Page, expect

from accounts.invitation_operations import invite_member
from accounts.tasks import send_invitation
from tenants.models import Role
from tests.pages.town import PASSWORD
from tests.webside import fresh_cache  # noqa: F401  a fixture

NARROW = {"width": 360, "height": 740}
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def counting(fresh_cache) -> None:  # noqa: F811  the fixture of that name
    """Sign-ins of other tests do not count here."""


def with_authenticator(page: Page) -> Page:
    """Give the browser a device that holds passkeys and agrees to everything."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/sign-in/")
    give_both(page, email, password)


def give_both(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def test_a_passkey_from_its_making_to_a_sign_in_without_password(watched, town, live_server):
    # Browsers give passkeys to names, not to addresses.
    page = with_authenticator(watched())
    home = live_server.url.replace("127.0.0.1", "localhost")
    page.goto(f"{home}/sign-in/")
    give_both(page, "anna@acme.example")
    page.get_by_role("link", name="Security").click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of the passkey").fill("Laptop")
    page.get_by_role("button", name="Add passkey").click()

    expect(page.get_by_role("heading", name="shown only this once")).to_be_visible()
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="I have written them down").click()
    expect(page.get_by_text("signs in alone")).to_be_visible()

    # Offered in the address field: this device says yes by itself, and nothing is pressed.
    with page.expect_request(lambda sent: sent.method == "POST" and sent.url == f"{home}/sign-in/passkey/"):
        page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Acme Ltd")).to_be_visible()

    # By its button, where a browser offers none in the field.
    page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Acme Ltd")).to_be_visible()

    # As second factor after the password, too.
    sign_out(page)
    give_both(page, "anna@acme.example")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Acme Ltd")).to_be_visible()


def test_an_app_for_codes_without_javascript_and_a_recovery_code_once(watched, town):
    page = watched(java_script_enabled=False, viewport=NARROW)
    sign_in(page, "anna@acme.example")
    page.goto("/security/app/")
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    recovery = page.locator(".codes li").first.inner_text()
    page.goto("/security/recovery-codes/")
    assert recovery not in page.content()

    def sign_in_again(with_code: str) -> None:
        page.context.clear_cookies()
        sign_in(page, "anna@acme.example")
        page.get_by_label("Code from your app").fill(with_code)
        page.get_by_role("button", name="Sign in", exact=True).click()

    sign_in_again("000000")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    sign_in_again(code(secret, 1))
    expect(page.get_by_role("heading", name="Acme Ltd")).to_be_visible()
    sign_in_again(recovery)
    expect(page.get_by_role("heading", name="Acme Ltd")).to_be_visible()
    sign_in_again(recovery)
    expect(page.get_by_text("This code is not right")).to_be_visible()
    assert secret not in str(list(Authenticator.objects.values_list("data")))


def test_an_invitation_from_the_form_to_the_first_page(watched, town):
    invite_member(town.acting("anna@acme.example"), email="nora@elsewhere.example", role=Role.SUPPORT)
    from accounts.models import Invitation
    from mailhost.scope import every_tenant

    with every_tenant("a test names a row"):
        number = Invitation.objects.get().pk
    send_invitation(number)
    address = re.search(r"/invitations/\S+", mail.outbox[-1].body)[0]
    page = watched(java_script_enabled=False)

    page.goto(address)
    assert page.url.endswith("/invitations/accept/")
    page.get_by_label("Your name").fill("Nora Neu")
    page.get_by_label("Choose a password").fill("Ein-ganz-neuer-Anfang-9")
    page.get_by_role("button", name="Join Acme Ltd").click()

    expect(page.get_by_text("Welcome to Acme Ltd.")).to_be_visible()
    page.goto("/members/")
    expect(page.get_by_role("row").filter(has_text="Nora Neu")).to_contain_text("Support")


def test_acting_as_a_customer_is_seen_on_every_page_and_ends_by_hand(watched, town):
    page = watched(viewport=NARROW)
    sign_in(page, "rita@rita.example")
    page.goto("/members/")
    page.get_by_role("link", name="Sign in as anna@acme.example").click()
    page.get_by_label("Why?").fill("Anna asked on the telephone")
    page.get_by_role("button", name="Sign in as anna@acme.example").click()

    banner = page.get_by_role("complementary", name="Signed in as somebody else")
    for address in ("/", "/mailboxes/", "/domains/add/", "/nowhere/"):
        page.goto(address)
        expect(banner).to_contain_text("You act as anna@acme.example")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.goto("/security/")
    expect(page.get_by_role("heading", name="This is not allowed")).to_be_visible()

    page.goto("/")
    page.get_by_role("button", name="Be yourself again").click()
    expect(page.get_by_text("You are yourself again.")).to_be_visible()
    expect(banner).to_have_count(0)
    page.context.clear_cookies()
    sign_in(page, "anna@acme.example")
    page.goto("/signed-in-as/")
    expect(page.get_by_role("row").filter(has_text="rita@rita.example")).to_contain_text("Anna asked on the telephone")
