"""Who calls the routes, and what of Acme's there is to call them about."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from allauth.usersessions.models import UserSession
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.invitation_operations import invite_member, revoke_invitation
from accounts.models import ApiKey, User
from accounts.operations import create_api_key, revoke_api_key
from audit.models import Event
from dns.models import DkimKey, KeyState, ZoneAccess
from domains.models import Domain
from domains.operations import create_domain, delete_domain
from longwork.works import begin
from mailboxes.app_password_operations import create_app_password
from mailboxes.denial_operations import deny_address
from mailboxes.import_operations import keep_import
from mailboxes.import_table import read_table
from mailboxes.models import Mailbox
from mailboxes.operations import delete_mailbox
from mailboxes.trial_operations import send_test_message
from mailhost.scope import every_tenant, tenant_scope
from mailhost.vault import seal
from reports.models import Source
from tenants.deletion_operations import delete_tenant
from tenants.models import Kind, Member, Role, Tenant
from tenants.operations import create_tenant, suspend_tenant
from tenants.plan_operations import create_plan, retire_plan
from tests.apiside import make_key, scopes_of
from tests.routes import callers, discovery
from tests.routes.callers import Row
from tests.webside import a_passkey, signed_in
from tests.world import World, a_mailbox, actor_of, an_alias, make_world, verified_domain
from webhooks.models import Endpoint
from webhooks.operations import create_endpoint, send_test

UNKNOWN_UID = "0" * 20
OWN_NUMBER = 987_654_321_012
# An own key notes its use, a session its end; neither is a change of anything.
NO_CHANGE = re.compile(r"django_session|SET `last_used_at`")


@dataclass(frozen=True)
class Thing:
    """A thing of Acme's: the prefix of its id in the API, and how to make or find one in the world."""

    prefix: str
    make: Callable[[World], Any]


def a_deleted_mailbox(world: World) -> Any:
    mailbox = a_mailbox(world.as_acme, "dora@acme.example")
    delete_mailbox(world.as_acme, mailbox=mailbox)
    return mailbox


def a_removed_domain(world: World) -> Any:
    return delete_domain(world.as_acme, domain=create_domain(world.as_acme, name="acme-removed.example"))


def a_denied_address(world: World) -> Any:
    with tenant_scope(world.acme.path):
        domain = Domain.objects.get(domain_name="acme.example")
    return deny_address(world.as_acme, domain=domain, address="spam")


def a_delivery(world: World) -> Any:
    with tenant_scope(world.acme.path):
        endpoint = Endpoint.objects.get(tenant=world.acme)
    return send_test(world.as_acme, endpoint=endpoint)


def an_app_password(world: World) -> Any:
    with tenant_scope(world.acme.path):
        mailbox = Mailbox.objects.live().get(email="anna@acme.example")
    return create_app_password(world.as_acme, mailbox=mailbox, name="Phone", protocols=["imap"])[0]


def last_event(world: World) -> Any:
    with every_tenant("the tests' cast"):
        return Event.objects.filter(tenant=world.acme).latest("pk")


def a_member(tenant: Tenant, role: str) -> Member:
    user, _ = User.objects.get_or_create(email=f"{role}@{tenant.name.lower()}.example")
    with every_tenant("the tests' cast"):
        return Member.objects.get_or_create(tenant=tenant, user=user, role=role)[0]


def own_passkey(world: World) -> Any:
    """Return a passkey of Acme's owner; it is called by its number."""
    return SimpleNamespace(uid=str(a_passkey(a_member(world.acme, Role.OWNER).user, OWN_NUMBER).pk))


def own_session(world: World) -> Any:
    owner = a_member(world.acme, Role.OWNER).user
    row = UserSession.objects.create(pk=OWN_NUMBER, user=owner, ip="192.0.2.1", session_key="x", user_agent="y")
    return SimpleNamespace(uid=str(row.pk))


def a_deleted_tenant(world: World) -> Any:
    tenant = create_tenant(world.as_rita, parent=world.rita, kind=Kind.CUSTOMER, name="Acme's former shop")
    return delete_tenant(world.as_rita, tenant=tenant)


def a_domain_with_keys(world: World) -> Any:
    """A domain with a key that signs and one that waits."""
    domain = verified_domain(world.as_acme, "acme-keys.example")
    with every_tenant("the tests' cast"):
        for state in (KeyState.ACTIVE, KeyState.PENDING):
            DkimKey.objects.create(domain=domain, selector=state, public_key="x", private_key="x", state=state)
    return domain


def a_connected_domain(world: World) -> Any:
    """A domain whose name server takes updates, although nothing listens there."""
    domain = verified_domain(world.as_acme, "acme-zone.example")
    with every_tenant("the tests' cast"):
        ZoneAccess.objects.create(
            domain=domain,
            server="127.0.0.1",
            port=9,
            zone=domain.domain_name,
            key_name="acme",
            algorithm="hmac-sha256",
            sealed_secret=seal("c2VjcmV0"),
        )
    return domain


def a_mail_source(world: World) -> Source:
    with every_tenant("the tests' cast"):
        return Source.objects.create(domain=Domain.objects.get(domain_name="acme.example"), address="192.0.2.25")


def a_kept_import(world: World) -> Any:
    """A table of Acme's that somebody has yet to look at."""
    table = read_table(b"team@acme.example: anna@acme.example", "aliases")
    with tenant_scope(world.acme.path):
        return keep_import(world.as_acme, table=table, file_name="acme.csv")


def a_trial(world: World) -> Any:
    with tenant_scope(world.acme.path):
        mailbox = Mailbox.objects.live().select_related("domain").get(email="anna@acme.example")
    return send_test_message(world.as_acme, mailbox=mailbox)[1]


def a_revoked_key(world: World) -> Any:
    key = create_api_key(world.as_acme, name="Acme's former", scopes=["domains:read"])[0]
    return revoke_api_key(world.as_acme, key=key)


def a_revoked_invitation(world: World) -> Any:
    invitation = invite_member(world.as_acme, email="former@acme.example", role="support")
    return revoke_invitation(world.as_acme, invitation=invitation)


def a_retired_plan(world: World) -> Any:
    return retire_plan(world.as_rita, plan=create_plan(world.as_rita, name="Acme's former plan"))


# Made once each, in this order.
THINGS: dict[str, Thing] = {
    "tenant": Thing("ten", lambda world: world.acme),
    "deleted_tenant": Thing("ten", a_deleted_tenant),
    # Of the reseller above Acme, who sells it.
    "plan": Thing("pln", lambda world: create_plan(world.as_rita, name="Acme's plan", limits={"mailboxes": 50})),
    "domain": Thing("dom", lambda world: verified_domain(world.as_acme, "acme.example")),
    "mail_source": Thing("src", a_mail_source),
    "domain_with_keys": Thing("dom", a_domain_with_keys),
    "connected_domain": Thing("dom", a_connected_domain),
    "deleted_mailbox": Thing("mbx", a_deleted_mailbox),
    "mailbox": Thing("mbx", lambda world: a_mailbox(world.as_acme, "anna@acme.example")),
    "denied": Thing("als", a_denied_address),
    "removed_domain": Thing("dom", a_removed_domain),
    "alias": Thing("als", lambda world: an_alias(world.as_acme, "sales@acme.example", "anna@acme.example")[0]),
    "import": Thing("", a_kept_import),
    "webhook": Thing("whk", lambda world: create_endpoint(world.as_acme, url="https://hooks.acme.example/in")[0]),
    "delivery": Thing("dlv", a_delivery),
    "app_password": Thing("apw", an_app_password),
    "event": Thing("evt", last_event),
    "member": Thing("mem", lambda world: a_member(world.acme, Role.SUPPORT)),
    "invitation": Thing("inv", lambda world: invite_member(world.as_acme, email="new@acme.example", role="support")),
    "own_passkey": Thing("", own_passkey),
    "own_session": Thing("", own_session),
    "operation": Thing("op", lambda world: begin(world.as_acme, "tests.nothing", kind="tests")),
    "trial": Thing("", a_trial),
    "retired_plan": Thing("pln", a_retired_plan),
    "revoked_invitation": Thing("inv", a_revoked_invitation),
    "revoked_key": Thing("key", a_revoked_key),
    "key": Thing("key", lambda world: create_api_key(world.as_acme, name="Acme's", scopes=["domains:read"])[0]),
}


class Cast:
    """The world of the tests with another reseller, Sela; Acme's things; and a client for each caller and door."""

    def __init__(self) -> None:
        self.world = make_world()
        self.sela = create_tenant(self.world.as_operator, parent=self.world.operator, kind=Kind.RESELLER, name="Sela")
        self.things = {name: thing.make(self.world) for name, thing in THINGS.items()}
        self.clients = dict(self._clients())
        with every_tenant("the tests' cast"):
            # Else the first use of each key is noted, by a statement that the next request lacks.
            ApiKey.objects.update(last_used_at=timezone.now())

    def call(self, who: str, row: Row, *, method: str = "", unknown: bool = False, body: Any = None):
        """Call a row's address, about Acme's things or about ones that never were."""
        client = self.without_scope(row) if who == callers.UNSCOPED else self.client(who, is_api=row.is_api)
        method = method or row.method
        cookies = copy(client.cookies)
        address = self.address(row, unknown) + (f"?{row.query}" if row.query and method in {"GET", "HEAD"} else "")
        body = body if body is not None else row.body
        if row.is_api:
            data = "" if body is None else json.dumps(body)
            answer = client.generic(method, address, data, content_type="application/json")
        elif method == "POST":
            answer = client.post(address, body or {})
        else:
            answer = client.generic(method, address)
        if answer.streaming:
            answer.streamed = answer.getvalue()
        # What is rolled back in the database, such as signing out, must not stay in the browser.
        client.cookies = cookies
        return answer

    def address(self, row: Row, unknown: bool = False) -> str:
        """Return the row's path with the things' ids in the place of its parameters."""
        names = iter(row.about.split())
        return "/" + re.sub(r"<\w+:\w+>", lambda _: self.reference(next(names), row.is_api, unknown), row.route)

    def reference(self, name: str, is_api: bool, unknown: bool = False) -> str:
        """Return how the API or a page points at a thing, or at one that never was."""
        if name.startswith("="):
            return name.removeprefix("=")
        uid = UNKNOWN_UID if unknown else self.things[name].uid
        return f"{THINGS[name].prefix}_{uid}" if is_api else uid

    def client(self, who: str, *, is_api: bool) -> Client:
        return self.clients[who, is_api]

    def without_scope(self, row: Row) -> Client:
        """Return a client whose key has every scope of Acme's but the one that the row needs."""
        return self.clients[callers.UNSCOPED, discovery.scopes_needed()[row.method, row.route]]

    def _clients(self) -> Iterator[tuple[tuple[str, bool], Client]]:
        members = {
            callers.STRANGER: (self.sela, Role.OWNER),
            callers.SIBLING: (self.world.bolt, Role.OWNER),
            callers.PARENT: (self.world.rita, Role.OWNER),
            callers.OWNER: (self.world.acme, Role.OWNER),
            callers.READER: (self.world.acme, Role.READ_ONLY),
            callers.BILLING: (self.world.acme, Role.BILLING),
            callers.SUSPENDED: (self.world.acme, Role.OWNER),
        }
        for who, (tenant, role) in members.items():
            yield (who, True), with_key(tenant, role)
            yield (who, False), signed_in(a_member(tenant, role).user)
        for is_api in (True, False):
            yield (callers.NOBODY, is_api), Client()
        every = scopes_of(self.world.acme, Role.OWNER)
        for missing in {*discovery.scopes_needed().values()}:
            # Who may write may read, so without reading there is no writing.
            left_out = {missing, missing.replace(":read", ":write")}
            scopes = [scope for scope in every if scope not in left_out]
            yield (callers.UNSCOPED, missing), key_client(self.world.acme, scopes)

    def suspend_acme(self) -> None:
        """Let nobody of Acme's sign in any more; their sessions and keys exist already."""
        suspend_tenant(self.world.as_operator, tenant=self.world.acme, blocks=["sign_in"], reason="unpaid")


def key_client(tenant: Tenant, scopes: list[str]) -> Client:
    _, text = create_api_key(actor_of(tenant), name="Unscoped", scopes=scopes)
    return Client(headers={"authorization": f"Bearer {text}"})


def with_key(tenant: Tenant, role: str) -> Client:
    """Return a client with an API key of this role."""
    return Client(headers={"authorization": f"Bearer {make_key(tenant, role)}"})


@contextmanager
def undone() -> Iterator[None]:
    """Roll back what happens inside, so that each row finds the cast as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Statements(CaptureQueriesContext):
    """What is asked of the database meanwhile."""

    def __init__(self) -> None:
        super().__init__(connection)

    @property
    def changes(self) -> list[str]:
        """The statements that changed something of anybody's."""
        asked = [query["sql"] for query in self.captured_queries]
        changing = [sql for sql in asked if re.match(r"(INSERT|UPDATE|DELETE|REPLACE)\b", sql)]
        return [sql for sql in changing if not NO_CHANGE.search(sql)]
