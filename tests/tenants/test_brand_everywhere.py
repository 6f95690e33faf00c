"""A reseller's brand over REST, and wherever else the people of its customers see the panel."""

import re

import pytest
from django.core import mail
from django.db import OperationalError
from django.test import Client

from domains.notices import tell
from domains.tasks import mail_notice
from mailboxes.tasks import send_invitation
from mailhost.said import Said
from mailhost.scope import tenant_scope
from tenants.models import Role
from tests.apiside import Caller, make_key
from tests.routes.cast import a_member
from tests.tenants.test_brand import COLOURS, ritas_brand, seen_by, use_host
from tests.webside import fresh_cache, plain_static  # noqa: F401 - fixtures
from tests.world import a_mailbox, verified_domain

pytestmark = pytest.mark.usefixtures("plain_static")


def test_a_brand_is_made_and_changed_over_rest(world):
    caller, path = Caller(make_key(world.rita)), f"/tenants/ten_{world.rita.uid}/brand"
    before = caller.read(path)

    lacking = caller.call("PATCH", path, {"name": "Rita Mail"})
    made = caller.call("PATCH", path, {"name": "Rita Mail", **COLOURS})
    changed = caller.call("PATCH", path, {"support_email": "help@rita.example"})
    unreadable = caller.call("PATCH", path, {"light": "#ffcc00"})

    assert (before["name"], before["tenant_id"], before["light"]) == ("Mailhost", None, None)
    assert (lacking.status_code, lacking.json()["errors"][0]["pointer"]) == (422, "#/light")
    assert (made.status_code, changed.status_code) == (200, 200)
    assert changed.json() == made.json() | {"support_email": "help@rita.example"}
    assert changed.json()["tenant_id"] == f"ten_{world.rita.uid}"
    assert unreadable.json()["errors"][0]["code"] == "low_contrast"
    assert seen_by(world.acme) == "Rita Mail"


def test_a_customers_brand_is_the_one_above_and_not_theirs_to_change(world):
    ritas_brand(world)
    caller, path = Caller(make_key(world.acme)), f"/tenants/ten_{world.acme.uid}/brand"

    assert caller.read(path)["name"] == "Rita Mail"
    assert caller.call("PATCH", path, {"name": "Acme Mail"}).status_code == 403
    from_above = Caller(make_key(world.rita)).call("PATCH", path, {"name": "Acme Mail"})
    assert (from_above.status_code, from_above.json()["errors"][0]["code"]) == (422, "not_own")
    assert seen_by(world.acme) == "Rita Mail"


def test_a_notice_about_a_domain_comes_in_the_resellers_name(world):
    ritas_brand(world, support_email="help@rita.example", mail_footer="Rita Hosting, Harbour Street 1")
    use_host(world, "panel.rita.example")
    a_member(world.acme, Role.OWNER)
    domain = verified_domain(world.as_acme, "acme.example")
    with tenant_scope(world.acme.path):
        notice = tell(domain, "domain.failing", Said("The MX record of acme.example is missing."))

    mail_notice(notice.pk)

    [letter] = mail.outbox
    assert letter.from_email.startswith("Rita Mail <")
    assert letter.reply_to == ["help@rita.example"]
    assert "//panel.rita.example" in letter.body
    assert letter.body.endswith("\n\nRita Hosting, Harbour Street 1\n")


def test_an_invitation_to_a_mailbox_and_its_page_are_the_resellers(world):
    ritas_brand(world)
    use_host(world, "panel.rita.example")
    verified_domain(world.as_acme, "acme.example")
    mailbox = a_mailbox(world.as_acme, "anna@acme.example")

    send_invitation(mailbox.pk, "anna@elsewhere.example")

    [letter] = mail.outbox
    assert letter.from_email.startswith("Rita Mail <")
    link = re.search(r"\w+://panel\.rita\.example[:\d]*(/\S+)", letter.body)[1]
    # Opened under the installation's own name, too.
    page = Client().get(link, follow=True).content.decode()
    assert "Rita Mail" in page
    assert ">Mailhost<" not in page


def test_the_site_of_mailbox_users_is_the_resellers(world, fresh_cache):  # noqa: F811  the fixture of that name
    ritas_brand(world)
    verified_domain(world.as_acme, "acme.example")
    a_mailbox(world.as_acme, "anna@acme.example")
    browser = Client()

    browser.post("/mailbox/sign-in/", {"email": "anna@acme.example", "password": "correct horse battery staple"})
    page = browser.get("/mailbox/").content.decode()

    assert "Rita Mail" in page
    assert "anna@acme.example" in page


def test_error_pages_are_the_resellers_also_when_the_database_is_away(world, monkeypatch):
    ritas_brand(world)
    use_host(world, "panel.rita.example")
    browser = Client(headers={"host": "panel.rita.example"}, raise_request_exception=False)

    lost = browser.get("/nowhere/")
    monkeypatch.setattr("accounts.web.sign_in.SignIn.get_context_data", away)
    away_page = browser.get("/sign-in/")

    assert (lost.status_code, away_page.status_code) == (404, 503)
    for page in (lost, away_page):
        assert "Rita Mail" in page.content.decode()
        assert ">Mailhost<" not in page.content.decode()


def away(*_arguments, **_options):
    raise OperationalError("the database is away")
