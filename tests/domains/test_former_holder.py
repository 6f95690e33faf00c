"""After a name went to another account, nothing of its former holder's is within the next one's reach, and nothing the
former holder left to be done touches what the next one has."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.utils import timezone

from dns import tasks as dns_tasks
from dns.models import DkimKey, DmarcPolicy, MtaSts, Publication, RecordChange, WrittenRecord, ZoneAccess
from dns.records import challenge_name, challenge_value
from domains import tasks
from domains.models import Domain
from domains.operations import create_domain, verify_domain
from mailhost.errors import Refused
from mailhost.scope import TenantOwned, every_tenant, tenant_scope
from mailhost.vault import seal
from reports.models import DmarcCount, Source
from tests.apiside import Caller, make_key
from tests.dns.keys import give_signing_key
from tests.longwork.test_works import work_off
from tests.world import PASSWORD_HASH, a_mailbox, an_alias, fresh, routes, verified_domain

NAME = "acme.example"
NOW = timezone.now()


@pytest.fixture
def former(world, settings) -> Domain:
    """Acme's domain, with something of each kind."""
    settings.MAILHOST_DKIM_KEYS = settings.MAILHOST_VAULT_KEYS = [Fernet.generate_key().decode()]
    domain = verified_domain(world.as_acme, NAME)
    a_mailbox(world.as_acme, f"anna@{NAME}")
    an_alias(world.as_acme, f"sales@{NAME}", f"anna@{NAME}")
    an_alias(world.as_acme, f"*@{NAME}", f"anna@{NAME}")
    give_signing_key(domain.pk)
    dns_tasks.refresh_records(domain.pk)
    place = {"domain": domain, "name": NAME, "record_type": "MX"}
    with every_tenant("a test lays its ground"):
        opens = {"server": "127.0.0.1", "port": 9, "zone": NAME, "key_name": "k", "algorithm": "hmac-sha256"}
        ZoneAccess.objects.create(domain=domain, sealed_secret=seal("c2VjcmV0"), automatic=True, **opens)
        Publication.objects.create(domain=domain, zone=NAME, changes=[], made_at=NOW)
        WrittenRecord.objects.create(**place, data="10 mail.mailhost.example.")
        RecordChange.objects.create(**place, purpose="mx", status_before="ok", status="missing", seen_at=NOW)
        DmarcPolicy.objects.create(domain=domain, policy="reject", since=NOW)
        MtaSts.objects.create(domain=domain, mode="enforce", since=NOW)
        Source.objects.create(domain=domain, address="192.0.2.25")
        DmarcCount.objects.create(
            domain=domain,
            day=date.today(),  # noqa: DTZ011 - any day
            source="192.0.2.25",
            is_dkim_aligned=True,
            is_spf_aligned=True,
            disposition="none",
            count=3,
        )
    return domain


@pytest.fixture
def go_over(world, former, dns_server) -> Callable[[], Domain]:
    """Lets the name go from Acme to Bolt: only Bolt's proof stands when it is decided. Returns Bolt's domain."""

    def go() -> Domain:
        claim = create_domain(world.as_bolt, name=NAME)
        dns_server.says_text(challenge_name(NAME), challenge_value(former.challenge), challenge_value(claim.challenge))
        verify_domain(world.as_bolt, domain=claim)
        with every_tenant("a test lets time pass"):
            Domain.objects.filter(pk=claim.pk).update(contested_at=timezone.now() - timedelta(days=7))
        dns_server.says_text(challenge_name(NAME), challenge_value(claim.challenge))
        tasks.settle_proofs()
        assert fresh(claim).is_verified
        return fresh(claim)

    return go


@pytest.fixture
def gone_over(go_over) -> Domain:
    return go_over()


def kinds_with_a_domain() -> list[type[TenantOwned]]:
    models = apps.get_models()
    return [one for one in models if issubclass(one, TenantOwned) and getattr(one, "domain_path", "")]


def rows_of(domain: Domain) -> dict[str, list[dict]]:
    with every_tenant("a test looks at all there is"):
        found = {
            model.__name__: list(model.objects.filter(**{model.domain_path: domain.pk}).order_by("pk").values())
            for model in kinds_with_a_domain()
        }
    return {name: rows for name, rows in found.items() if rows}


def test_the_next_holder_begins_with_nothing_and_reaches_no_row_of_the_former(world, former, gone_over):
    left = rows_of(former)
    assert {"DkimKey", "ZoneAccess", "DnsRecord", "Publication", "Source", "Mailbox", "DmarcPolicy"} <= left.keys()

    with tenant_scope(world.bolt.path):
        reached = [one.__name__ for one in kinds_with_a_domain() if one.objects.filter(**{one.domain_path: former.pk})]

    assert reached == []
    assert "ZoneAccess" not in rows_of(gone_over)
    assert "DmarcPolicy" not in rows_of(gone_over)


@pytest.mark.parametrize(
    "path", ["", "/records", "/checks", "/zone", "/zone-access", "/dkim-keys", "/mta-sts", "/reports/dmarc"]
)
def test_over_rest_the_formers_id_is_nobodys_and_the_name_means_the_next_ones(world, former, gone_over, path):
    bolt, acme = Caller(make_key(world.bolt)), Caller(make_key(world.acme))

    assert bolt.call("GET", f"/domains/dom_{former.uid}{path}").status_code == 404
    assert acme.call("GET", f"/domains/dom_{gone_over.uid}{path}").status_code == 404
    text = bolt.call("GET", f"/domains/{NAME}{path}").content.decode()
    with every_tenant("a test looks"):
        keys = list(DkimKey.objects.filter(domain=former).values_list("public_key", "selector"))
    for secret in (former.challenge, fresh(former).challenge, "192.0.2.25", *keys[0]):
        assert secret not in text


def test_aliases_and_mailboxes_lead_nowhere_even_where_the_next_holder_makes_the_same(world, former, gone_over):
    assert [routes(f"{local}@{NAME}") for local in ("sales", "", "anna")] == [[], [], []]

    theirs = a_mailbox(world.as_bolt, f"anna@{NAME}")

    assert [routes(f"{local}@{NAME}") for local in ("sales", "", "anna")] == [[], [], [f"anna@{NAME}"]]
    assert [row["uid"] for row in rows_of(gone_over)["Mailbox"]] == [theirs.uid]
    with pytest.raises(Refused):
        a_mailbox(world.as_acme, f"eve@{NAME}")


def test_what_the_former_holder_left_to_be_done_touches_nothing(world, former, go_over):
    caller = Caller(make_key(world.acme))
    posts = {
        "/mailboxes/batch": {"mode": "partial", "items": [{"email": f"eve@{NAME}", "password_hash": PASSWORD_HASH}]},
        "/aliases/batch": {"mode": "partial", "items": [{"source": f"all@{NAME}", "targets": [f"anna@{NAME}"]}]},
        f"/domains/{NAME}/publish": "",
    }
    works = [
        caller.call("POST", path, body, headers={"prefer": "respond-async"}).json()["id"]
        for path, body in posts.items()
    ]
    gone_over = go_over()
    dns_tasks.make_key(gone_over.pk)
    dns_tasks.refresh_records(gone_over.pk)
    theirs, written = rows_of(gone_over), rows_of(former)["WrittenRecord"]

    work_off()
    for task in (dns_tasks.make_key, dns_tasks.refresh_records, dns_tasks.publish_records, dns_tasks.activate_key):
        task(former.pk)
    tasks.settle_proofs()

    assert rows_of(gone_over) == theirs
    assert rows_of(former)["WrittenRecord"] == written
    assert routes(f"all@{NAME}") == []
    ended = [caller.read(f"/operations/{work}") for work in works]
    assert [(one["result"] or {}).get("created", 0) for one in ended] == [0, 0, 0]


def test_nothing_is_published_by_itself_with_the_formers_key(former, gone_over):
    [access] = rows_of(former)["ZoneAccess"]

    assert access["automatic"] is False
