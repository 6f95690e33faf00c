"""The rows that pages are looked at with: an operator, reseller Rita, her customers Acme and Bolt."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.actors import actor_of_user, system_actor
from accounts.models import User
from accounts.operations import create_api_key, create_user
from dns.models import DnsRecord, Purpose, Status
from dns.records import Installation, SigningKey, expected_records
from domains.models import Domain
from domains.operations import create_domain, set_domain_enabled
from mailboxes.alias_operations import create_alias, set_alias_enabled
from mailboxes.import_operations import begin_import, keep_import
from mailboxes.import_table import read_table
from mailboxes.models import LastLogin, Mailbox, QuotaUsage
from mailboxes.operations import create_mailbox, delete_mailbox, suspend_mailbox
from mailhost.actor import Actor
from mailhost.effective import recalculate
from mailhost.said import NOTHING, Said
from mailhost.scope import every_tenant
from tenants.models import Role, Tenant
from tenants.operations import create_tenant, found_installation

PASSWORD = "an orchard of quiet bells"
MAIL_HOST = "mail.mailhost.example"
MB = 1024 * 1024


@dataclass
class Town:
    """Tenants by name. Who signs in: operator@, rita@, anna@ (owner of Acme), rex@ (reads only), bo@ (Bolt)."""

    operator: Tenant
    rita: Tenant
    acme: Tenant
    bolt: Tenant
    actor: Actor

    def person(self, email: str) -> User:
        return User.objects.get(email=email)

    def acting(self, email: str) -> Actor:
        actor = actor_of_user(self.person(email))
        assert actor is not None
        return actor


def build_town(now: datetime) -> Town:
    """Fill an empty database by the operations that people use; `now` is when it all began."""
    operator = found_installation("Mailhost Example")
    root = system_actor(operator, "tests")
    with every_tenant("the town is built"):
        rita = create_tenant(root, parent=operator, kind="reseller", name="Rita Hosting")
        acme = create_tenant(root, parent=rita, kind="customer", name="Acme Ltd")
        bolt = create_tenant(root, parent=rita, kind="customer", name="Bolt & Sons")
        for tenant, email, role in (
            (operator, "operator@mailhost.example", Role.OWNER),
            (rita, "rita@rita.example", Role.OWNER),
            (acme, "anna@acme.example", Role.OWNER),
            (acme, "rex@acme.example", Role.READ_ONLY),
            (acme, "bill@acme.example", Role.BILLING),
            (bolt, "bo@bolt.example", Role.OWNER),
        ):
            create_user(root, tenant=tenant, email=email, role=role, password=PASSWORD)
        town = Town(operator, rita, acme, bolt, root)
        fill_acme(system_actor(acme, "anna@acme.example"), now)
        fill_bolt(system_actor(bolt, "bo@bolt.example"))
    return town


def fill_acme(anna: Actor, now: datetime) -> None:
    acme = proven(create_domain(anna, name="acme.example"), now)
    lacking = Said("There is no such %(type)s record at %(name)s yet.", type="TXT", name="_dmarc.acme.example")
    show_records(acme, now, {Purpose.DMARC: (Status.MISSING, [], lacking)})
    munich = proven(create_domain(anna, name="münchen-bäcker.example"), now)
    spf = Said("The SPF record does not allow this server. Add “%(lacking)s” before its last word.", lacking="mx")
    show_records(munich, now, {Purpose.SPF: (Status.MISMATCH, ["v=spf1 include:_spf.elsewhere.example -all"], spf)})
    show_records(create_domain(anna, name="acme-labs.example"), None, {})
    old = proven(create_domain(anna, name="old-acme.example"), now)
    show_records(old, now, {})
    set_domain_enabled(anna, domain=old, enabled=False)
    people = (
        ("anna", "Anna Albers", 2048, 1433 * MB, 3),
        ("ben", "Ben Okafor", 1024, 1003 * MB, 26),
        ("carla", "Carla Ruiz", 1024, 41 * MB, 0),
        ("sales", "Sales team", 5120, 4200 * MB, 1),
        ("a.very.long.name.that.nobody.would.ever.want.to.type", "", 512, 0, None),
    )
    for local, name, quota_mb, used, hours in people:
        mailbox = create_mailbox(
            anna, address=f"{local}@acme.example", password=PASSWORD, storage_quota_mb=quota_mb, display_name=name
        )
        QuotaUsage.objects.create(username=mailbox.email, bytes=used, messages=used // 40_000)
        if hours is not None:
            at = now + timedelta(days=40) - timedelta(hours=hours)
            LastLogin.objects.create(mailbox=mailbox, at=at, service="imap")
    suspend_mailbox(anna, mailbox=Mailbox.objects.get(email="carla@acme.example"))
    create_mailbox(anna, address="info@münchen-bäcker.example", password=PASSWORD, storage_quota_mb=1024)
    gone = create_mailbox(anna, address="dora@acme.example", password=PASSWORD, storage_quota_mb=1024)
    delete_mailbox(anna, mailbox=gone)
    create_alias(anna, source="office@acme.example", targets=["anna@acme.example", "ben@acme.example"])
    outside = create_alias(anna, source="press@acme.example", targets=["agency@elsewhere.example"])
    set_alias_enabled(anna, alias=outside[0], enabled=False)
    create_alias(anna, source="*@münchen-bäcker.example", targets=["info@münchen-bäcker.example"])
    bring_tables(anna)
    create_api_key(
        anna,
        tenant=Tenant.objects.get(pk=anna.tenant_id),
        name="Booking system",
        scopes=["domains:read", "mailboxes:write"],
    )


def bring_tables(anna: Actor) -> None:
    """One table to look at, and one that waits for a worker."""
    people = "email,display_name,storage_quota_mb,invite_to\n"
    people += "eva@acme.example,Eva Ernst,2 GB,eva@home.example\nben@acme.example,Ben Okafor,1 GB,\n"
    people += "office@acme.example,Front desk,1 GB,desk@home.example\nuta@elsewhere.example,Uta,1 GB,uta@home.example\n"
    aliases = "team@acme.example: anna@acme.example, ben@acme.example\ndöra@acme.example: anna@acme.example\n"
    keep_import(anna, table=read_table(people.encode(), "mailboxes"), file_name="people.csv")
    kept = keep_import(anna, table=read_table(aliases.encode(), "aliases"), file_name="teams.txt")
    begin_import(anna, kept=kept, usual_quota_mb=0)


def fill_bolt(bo: Actor) -> None:
    bolt = proven(create_domain(bo, name="bolt.example"), None)
    show_records(bolt, None, {})
    create_mailbox(bo, address="bo@bolt.example", password=PASSWORD, storage_quota_mb=1024, display_name="Bo Bolt")
    create_alias(bo, source="hello@bolt.example", targets=["bo@bolt.example"])


def proven(domain: Domain, now: datetime | None) -> Domain:
    """Let a domain be proven as `verify_domain` does after it has seen the record in DNS."""
    Domain.objects.filter(pk=domain.pk).update(verified_at=now or timezone.now())
    recalculate(domain_id=domain.pk)
    domain.refresh_from_db()
    return domain


def show_records(domain: Domain, now: datetime | None, faults: dict[str, tuple[str, list[str], Said]]) -> None:
    """Give a domain its records; with `now` they were checked then and found, but for `faults`."""
    key = SigningKey("mh202611", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + "k9Jx2Q7fT0" * 34 + "wIDAQAB")
    for record in expected_records(
        domain.domain_name,
        challenge=domain.challenge,
        installation=Installation(MAIL_HOST),
        keys=[key] if domain.has_proof else [],
    ):
        status, found, problem = (Status.OK, [record.value], NOTHING) if now else (Status.NOT_CHECKED, [], NOTHING)
        if record.purpose in faults:
            status, found, problem = faults[record.purpose]
        DnsRecord.objects.create(
            domain=domain,
            purpose=record.purpose,
            record_type=record.record_type,
            name=record.name,
            value=record.value,
            ttl=record.ttl,
            priority=record.priority,
            necessity=record.necessity,
            status=status,
            found=found,
            problem=problem,
            problem_said=problem.kept,
            last_checked_at=now,
        )
