"""Every page × nobody, a stranger, a member who may only read; no page may be missing here."""

from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import mailhost.urls
from accounts.models import ApiKey, User
from accounts.operations import create_api_key
from domains.models import Domain
from mailboxes.models import Alias, Mailbox
from mailboxes.operations import create_mailbox, delete_mailbox
from mailhost.scope import every_tenant
from tenants.models import Member, Role, Tenant
from tests.world import PASSWORD_HASH, World, a_mailbox, an_alias, make_world, verified_domain

# Open to nobody in particular.
OPEN = {"sign-in", "sign-out"}
# Pages of a tenant as a whole.
LISTS = ("home", "domains", "mailboxes", "mailbox-bin", "aliases", "tenants", "audit", "keys")
# Pages to fill in: only who may make the change sees them.
FORMS = ("domain-add", "mailbox-add", "alias-add", "key-add")
# Pages of a row, by the row.
ROWS = {"domain": "domain", "domain-settings": "domain", "mailbox": "mailbox"}
# Changes of a row: POST alone.
CHANGES = {
    "domain-verify": "domain",
    "domain-check": "domain",
    "domain-enable": "domain",
    "domain-disable": "domain",
    "domain-delete": "domain",
    "mailbox-update": "mailbox",
    "mailbox-password": "mailbox",
    "mailbox-suspend": "mailbox",
    "mailbox-resume": "mailbox",
    "mailbox-delete": "mailbox",
    "mailbox-restore": "deleted",
    "alias-enable": "alias",
    "alias-disable": "alias",
    "alias-delete": "alias",
    "key-revoke": "key",
}
# Input that passes the form, so that the answer is the operation's.
INPUT = {
    "domain-add": {"name": "new.example"},
    "domain-delete": {"typed": "acme.example"},
    "mailbox-add": {"local_part": "new", "domain": "acme.example", "storage_quota_mb": "10", "password": "x" * 20},
    "mailbox-update": {"storage_quota_mb": "10"},
    "mailbox-password": {"password": "Ein-ganz-anderes-99"},
    "alias-add": {"local_part": "new", "domain": "acme.example", "targets": "anna@acme.example"},
    "key-add": {"name": "new", "role": "read_only"},
}


@dataclass
class Acme:
    """One row of each kind, all Acme's."""

    domain: Domain
    mailbox: Mailbox
    deleted: Mailbox
    alias: Alias
    key: ApiKey


@pytest.fixture
def world(db, plain_static) -> World:
    return make_world()


@pytest.fixture
def acme(world) -> Acme:
    actor = world.as_acme
    domain = verified_domain(actor, "acme.example")
    gone = a_mailbox(actor, "dora@acme.example")
    delete_mailbox(actor, mailbox=gone)
    mailbox = a_mailbox(actor, "anna@acme.example")
    alias = an_alias(actor, "sales@acme.example", "anna@acme.example")[0]
    key, _ = create_api_key(actor, name="Booking", role=Role.READ_ONLY)
    return Acme(domain, mailbox, gone, alias, key)


def member(tenant: Tenant, role: str) -> Client:
    """Return a browser in which a member of this tenant is signed in."""
    user = User.objects.create(email=f"{role}@{tenant.name.lower()}.example")
    with every_tenant("the tests' cast"):
        Member.objects.create(tenant=tenant, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def address(acme: Acme, name: str) -> str:
    of = ROWS.get(name) or CHANGES.get(name)
    return reverse(name, args=[getattr(acme, of).uid]) if of else reverse(name)


def facts(acme: Acme) -> list:
    """Return what a change would have changed."""
    with every_tenant("a test looks at the rows"):
        return [list(model.objects.order_by("pk").values()) for model in (Domain, Mailbox, Alias, ApiKey)]


def test_no_page_is_missing_here():
    known = OPEN | set(LISTS) | set(FORMS) | set(ROWS) | set(CHANGES)

    assert {page.name for page in mailhost.urls.pages} == known


def test_nobody_is_sent_to_the_sign_in(acme):
    before = facts(acme)

    for name in (*LISTS, *FORMS, *ROWS, *CHANGES):
        target = address(acme, name)
        answer = Client().post(target, INPUT.get(name)) if name in CHANGES else Client().get(target)
        assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={target}"), name
    assert facts(acme) == before


def test_what_is_a_strangers_does_not_exist(acme, world):
    bolt = member(world.bolt, Role.OWNER)
    before = facts(acme)

    for name in ROWS:
        assert bolt.get(address(acme, name)).status_code == 404, name
    for name in CHANGES:
        assert bolt.post(address(acme, name), INPUT.get(name)).status_code == 404, name
    for name in LISTS:
        assert "acme" not in bolt.get(address(acme, name)).content.decode().lower(), name
    assert facts(acme) == before


def test_an_unknown_row_and_a_strangers_look_the_same(acme, world):
    bolt = member(world.bolt, Role.OWNER)
    strangers, unknown = (bolt.get(path) for path in (address(acme, "domain"), reverse("domain", args=["0" * 20])))

    def words(answer):
        return answer.content.decode().split("Request <code>")[0]

    assert words(strangers) == words(unknown)


def test_who_may_only_read_changes_nothing(acme, world):
    reader = member(world.acme, Role.READ_ONLY)
    before = facts(acme)

    for name in (*LISTS, *ROWS):
        assert reader.get(address(acme, name)).status_code == 200, name
    for name in FORMS:
        assert reader.get(address(acme, name)).status_code == 403, name
        assert reader.post(address(acme, name), INPUT[name]).status_code == 403, name
    for name in CHANGES:
        assert reader.post(address(acme, name), INPUT.get(name)).status_code == 403, name
    assert facts(acme) == before


def test_who_may_only_read_is_offered_no_change(acme, world):
    reader = member(world.acme, Role.READ_ONLY)

    for name in (*LISTS, *ROWS):
        page = reader.get(address(acme, name)).content.decode()
        # Signing out and searching are all that is left.
        forms = [part.split(">")[0] for part in page.split("<form ")[1:]]
        assert all('role="search"' in form or 'action="/sign-out/"' in form for form in forms), (name, forms)


def test_billing_sees_neither_domains_nor_mailboxes(acme, world):
    billing = member(world.acme, Role.BILLING)

    seen = {name: billing.get(address(acme, name)).status_code for name in (*LISTS, *ROWS)}

    open_pages = {"home", "tenants", "audit"}
    assert seen == {name: 200 if name in open_pages else 403 for name in seen}


def test_no_change_by_get(acme, world):
    owner = member(world.acme, Role.OWNER)

    for name in CHANGES:
        assert owner.get(address(acme, name)).status_code == 405, name


def test_a_form_without_its_token_is_refused(acme, world):
    owner = member(world.acme, Role.OWNER)
    strict = Client(enforce_csrf_checks=True, headers={"cookie": f"session={owner.cookies['session'].value}"})
    strict.cookies = owner.cookies

    answer = strict.post(address(acme, "domain-disable"))

    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


@pytest.mark.parametrize("owner_of", ["acme", "rita", "operator"])
def test_owners_see_every_page_of_theirs_and_below(acme, world, owner_of):
    owner = member(getattr(world, owner_of), Role.OWNER)

    for name in (*LISTS, *FORMS, *ROWS):
        assert owner.get(address(acme, name)).status_code == 200, name


# The session, the person and the membership are three of them.
STATEMENTS = {
    "home": 10,
    "domains": 6,
    "mailboxes": 6,
    "mailbox-bin": 4,
    "aliases": 5,
    "tenants": 5,
    "audit": 4,
    "keys": 4,
    "domain-add": 4,
    "mailbox-add": 4,
    "alias-add": 4,
    "key-add": 3,
    "domain": 5,
    "domain-settings": 5,
    "mailbox": 5,
}


def test_pages_ask_the_same_number_of_statements_however_full_they_are(acme, world):
    rita = member(world.rita, Role.OWNER)

    few = {name: statements(rita, address(acme, name)) for name in (*LISTS, *FORMS, *ROWS)}
    fill(world, 30)
    many = {name: statements(rita, address(acme, name)) for name in few}

    assert (few, many) == (STATEMENTS, STATEMENTS)


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return len(asked)


def fill(world: World, count: int) -> None:
    actor = world.as_bolt
    for number in range(count):
        verified_domain(actor, f"bolt-{number}.example")
    for number in range(count):
        address = f"person-{number}@bolt-0.example"
        create_mailbox(actor, address=address, password_hash=PASSWORD_HASH, storage_quota_mb=10)
        an_alias(actor, f"team-{number}@bolt-0.example", address)
        create_api_key(actor, name=f"Key {number}", role=Role.READ_ONLY)
    with every_tenant("the tests' cast"):
        Mailbox.objects.filter(email__startswith="person-2").update(deleted_at=timezone.now())
