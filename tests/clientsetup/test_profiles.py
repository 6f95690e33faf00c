"""Apple's profiles: signed, without a password unless somebody asked for one, and then by a link that works once."""

import hashlib
import plistlib
import subprocess
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from django.test import Client

from clientsetup.models import ProfileLink
from clientsetup.operations import HOLDS
from clientsetup.tasks import forget_old_links
from mailboxes.models import AppPassword
from mailboxes.operations import suspend_mailbox
from mailhost.scope import every_tenant
from tests.apiside import Caller, make_key
from tests.world import a_mailbox

ANNA = "anna@acme.example"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def site(plain_static, fresh_cache) -> None:
    """Pages can be drawn, and nobody has failed to sign in yet."""


@pytest.fixture
def link(anna, world, site) -> str:
    answer = Caller(make_key(world.acme)).call("POST", f"/mailboxes/{ANNA}/profile-links", {})
    assert answer.status_code == 201, answer.content
    return "/device/" + answer.json()["url"].partition("/device/")[2]


def opened(cms: bytes, stack) -> dict:
    """Verify the signature with OpenSSL, as a device would, and return what was signed."""
    command = [
        "openssl",
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-CAfile",
        str(stack.home / "tls/ca.pem"),
        "-purpose",
        "any",
    ]
    return plistlib.loads(subprocess.run(command, input=cms, capture_output=True, check=True).stdout)


def account(profile: dict) -> dict:
    return profile["PayloadContent"][0]


def app_passwords() -> list[AppPassword]:
    with every_tenant("a test looks at its rows"):
        return list(AppPassword.objects.order_by("pk"))


def press(path: str) -> tuple[Client, object]:
    """Open the link and press its button."""
    browser = Client()
    page = browser.get(path, follow=True)
    assert page.status_code == 200
    return browser, browser.post("/device/")


def test_a_profile_without_a_password_is_signed_by_the_hosts_certificate(hosted, stack):
    answer = Client().get(
        "/mail/apple.mobileconfig", {"emailaddress": ANNA}, headers={"host": "setup.mailhost.example"}
    )

    assert answer.headers["Content-Type"] == "application/x-apple-aspen-config"
    profile = opened(answer.content, stack)
    assert profile["PayloadType"] == "Configuration"
    assert account(profile)["EmailAddress"] == ANNA
    assert account(profile)["IncomingMailServerUseSSL"] is True
    assert "IncomingPassword" not in account(profile)


def test_the_same_address_gets_the_same_identifiers_and_nobody_is_told_whether_it_exists(anna, stack):
    def profile_of(address: str) -> dict:
        headers = {"host": "setup.mailhost.example"}
        return opened(
            Client().get("/mail/apple.mobileconfig", {"emailaddress": address}, headers=headers).content, stack
        )

    assert profile_of(ANNA) == profile_of(ANNA)
    assert set(account(profile_of(ANNA))) == set(account(profile_of("nobody@acme.example")))
    assert profile_of(ANNA)["PayloadUUID"] != profile_of("nobody@acme.example")["PayloadUUID"]


@pytest.mark.parametrize("key", ["missing", "of Ed25519", "behind a passphrase"])
def test_a_profile_is_unsigned_where_the_key_cannot_sign_it(hosted, settings, tmp_path, key):
    settings.MAILHOST_PROFILE_KEY = str(tmp_path / "key.pem")
    if key != "missing":
        locked = BestAvailableEncryption(b"secret") if key == "behind a passphrase" else NoEncryption()
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        (tmp_path / "key.pem").write_bytes(made)

    answer = Client().get(
        "/mail/apple.mobileconfig", {"emailaddress": ANNA}, headers={"host": "setup.mailhost.example"}
    )

    assert plistlib.loads(answer.content)["PayloadType"] == "Configuration"


def test_a_link_makes_one_app_password_for_its_device(link, stack):
    assert app_passwords() == []

    _, answer = press(link)

    assert answer.status_code == 200
    text = account(opened(answer.content, stack))["IncomingPassword"]
    [row] = app_passwords()
    assert (row.name, row.allows_imap, row.allows_smtp, row.allows_pop3) == ("Apple device", True, True, False)
    assert text.split("-")[1] == row.selector
    assert answer.headers["Cache-Control"].startswith("no-store")


def test_a_link_works_once(link):
    browser, _ = press(link)

    assert b"no longer good" in browser.post("/device/").content
    assert b"no longer good" in Client().get(link, follow=True).content
    assert len(app_passwords()) == 1


def test_a_link_that_is_only_looked_at_uses_up_nothing(link):
    for _ in range(3):
        assert b"Install the profile" in Client().get(link, follow=True).content

    assert app_passwords() == []


def test_a_newer_link_ends_the_older_one(link, world):
    Caller(make_key(world.acme)).call("POST", f"/mailboxes/{ANNA}/profile-links", {})

    assert b"no longer good" in Client().get(link, follow=True).content


def test_a_link_ends_after_an_hour(link):
    with every_tenant("a test lays its ground"):
        row = ProfileLink.objects.get()
        ProfileLink.objects.update(expires_at=row.expires_at - 2 * HOLDS - timedelta(seconds=1))

    assert b"no longer good" in Client().get(link, follow=True).content
    assert forget_old_links() == 1


def test_a_link_to_a_suspended_mailbox_is_closed(link, anna, world):
    suspend_mailbox(world.as_acme, mailbox=anna)

    assert b"no longer good" in Client().get(link, follow=True).content
    answer = Caller(make_key(world.acme)).call("POST", f"/mailboxes/{ANNA}/profile-links", {})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "closed")


def test_the_links_text_is_stored_nowhere(link):
    token = link.rpartition("/device/")[2].strip("/")
    with every_tenant("a test looks at its rows"):
        assert ProfileLink.objects.get().digest == hashlib.sha256(token.encode()).hexdigest()


def test_a_mailboxs_user_gets_a_profile_with_or_without_a_password(anna, site, stack):
    browser = Client()
    browser.post("/mailbox/sign-in/", {"email": ANNA, "password": PASSWORD})
    assert b"Profile with a new app password" in browser.get("/mailbox/devices/").content

    without = browser.post("/mailbox/devices/profile/")
    assert app_passwords() == []
    with_one = browser.post("/mailbox/devices/profile/", {"password": "new"})

    assert "IncomingPassword" not in account(opened(without.content, stack))
    assert account(opened(with_one.content, stack))["IncomingPassword"].split("-")[1] == app_passwords()[0].selector


def test_nobody_gets_a_profile_of_a_mailbox_that_is_not_signed_in(anna, world, site):
    a_mailbox(world.as_acme, "carl@acme.example")

    assert Client().post("/mailbox/devices/profile/", {"password": "new"}).status_code == 302
    assert app_passwords() == []
