"""Signing keys in the operator's zone, to which aliases of customers' domains lead: the stack's BIND serves both."""

import secrets
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import system_actor
from dns import dkim, key_aliases, key_operations, tasks
from dns.dkim import public_record
from dns.key_zone import publish_keys
from dns.lookup import look_up
from dns.models import DkimKey, DnsRecord
from dns.publishing_operations import publish_records
from dns.record_operations import expected_of
from dns.zone_file import zone_text
from mailhost.background import Again
from mailhost.errors import Refused
from mailhost.models import Job
from mailhost.scope import every_tenant
from stack.publish import Published, publish, withdraw
from tests.world import connect_to_server

ZONE = "dkim.mailhost.example"


@pytest.fixture(autouse=True)
def new_domains_use_aliases(settings) -> None:
    settings.MAILHOST_DKIM_NEW_DOMAINS = "cname"


@pytest.fixture
def actor(acme):
    return system_actor(acme, "a test")


@pytest.fixture
def domain(acme, verified, bind):
    domain = verified(acme, f"acme-{secrets.token_hex(4)}.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    tasks.publish_keys(domain.pk)
    return domain


@pytest.fixture
def signing(domain, bind):
    """The domain, its aliases entered by its owner, its first key signing."""
    enter_records(bind, domain)
    follow(domain)
    return domain


def rows(domain, **columns):
    with every_tenant("a test looks"):
        return list(DnsRecord.objects.filter(domain=domain, purpose="dkim", **columns).order_by("name"))


def keys(domain) -> list[tuple[str, str]]:
    with every_tenant("a test looks"):
        return list(DkimKey.objects.filter(domain=domain).order_by("pk").values_list("selector", "state"))


def enter_records(bind, domain) -> None:
    """What the owner does once, by hand."""
    with every_tenant("a test looks"):
        wanted = list(DnsRecord.objects.filter(domain=domain))
    publish(
        bind,
        [
            Published(row.name, row.record_type, row.value if row.record_type == "TXT" else expected_of(row).rdata)
            for row in wanted
        ],
    )


def follow(domain) -> None:
    """What workers do by themselves after each of these."""
    tasks.publish_keys(domain.pk)
    tasks.refresh_records(domain.pk)
    tasks.check_records(domain.pk)
    tasks.activate_key(domain.pk)


def let_time_pass(domain, length: timedelta) -> None:
    with every_tenant("a test lets time pass"):
        for key in DkimKey.objects.filter(domain=domain):
            DkimKey.objects.filter(pk=key.pk).update(state_since=key.state_since - length)


def text_at(name: str) -> tuple[str, ...]:
    return look_up(name, "TXT").values


def test_a_new_domain_gets_three_aliases_whose_ends_are_ready_before_it_enters_them(domain):
    assert [(row.record_type, row.name.partition(".")[0], row.value, row.necessity) for row in rows(domain)] == [
        ("CNAME", selector, f"{selector}.{domain.uid}.{ZONE}", "required") for selector in key_aliases.SELECTORS
    ]
    with every_tenant("a test looks"):
        key = DkimKey.objects.get(domain=domain)
    assert text_at(f"mh1.{domain.uid}.{ZONE}") == (public_record(key.public_key),)
    assert text_at(f"mh2.{domain.uid}.{ZONE}") == ()
    assert f"mh1._domainkey.{domain.domain_name}. 3600 IN CNAME mh1.{domain.uid}.{ZONE}.\n" in zone_text(
        domain.domain_name, rows(domain)
    )


def test_a_key_signs_once_it_is_seen_through_its_alias(domain, bind):
    follow(domain)
    before = keys(domain)
    enter_records(bind, domain)
    follow(domain)

    assert (before, keys(domain)) == ([("mh1", "pending")], [("mh1", "active")])
    assert {row.status for row in rows(domain)} == {"ok"}


def test_an_alias_whose_end_is_empty_is_not_enough_and_is_mended_here(domain, bind):
    enter_records(bind, domain)
    withdraw(bind | {"update_key": own_key()}, f"mh1.{domain.uid}.{ZONE}", "TXT")
    tasks.check_records(domain.pk)

    [row] = rows(domain, name=f"mh1._domainkey.{domain.domain_name}")
    assert (row.status, keys(domain)) == ("mismatch", [("mh1", "pending")])
    assert "nothing to do for you" in row.problem
    assert Job.objects.filter(task="dns.tasks.publish_keys", arguments={"domain_id": domain.pk}).exists()

    follow(domain)
    assert keys(domain) == [("mh1", "active")]


def own_key() -> dict:
    from django.conf import settings

    return {
        "name": settings.MAILHOST_DKIM_ZONE_KEY_NAME,
        "algorithm": settings.MAILHOST_DKIM_ZONE_KEY_ALGORITHM,
        "secret": settings.MAILHOST_DKIM_ZONE_KEY_SECRET,
    }


def test_rotations_go_round_the_three_names_and_change_nothing_in_the_domain(signing, actor):
    before = [(row.name, row.value) for row in rows(signing)]
    seen = []
    for _ in range(4):
        key_operations.rotate_key(actor, domain=signing)
        follow(signing)
        seen.append([selector for selector, state in keys(signing) if state == "active"])
        let_time_pass(signing, key_operations.RETIRE_AFTER)
        tasks.turn_keys()
        tasks.publish_keys(signing.pk)
        let_time_pass(signing, key_aliases.RESTS_FOR)

    assert seen == [["mh2"], ["mh3"], ["mh1"], ["mh2"]]
    assert [(row.name, row.value) for row in rows(signing)] == before
    assert {row.status for row in rows(signing)} == {"ok"}
    assert text_at(f"mh1.{signing.uid}.{ZONE}") == ()


def test_a_name_is_not_used_again_while_its_former_key_is_remembered(signing, actor):
    for _ in range(2):
        key_operations.rotate_key(actor, domain=signing)
        follow(signing)
    with pytest.raises(Refused) as refused:
        key_operations.rotate_key(actor, domain=signing)
    assert refused.value.code == "no_free_selector"
    with every_tenant("a test lets time pass"):
        DkimKey.objects.filter(domain=signing, selector="mh1").update(
            state_since=timezone.now() - key_operations.RETIRE_AFTER
        )
    tasks.turn_keys()

    with pytest.raises(Refused) as refused:
        key_operations.rotate_key(actor, domain=signing)
    assert refused.value.code == "no_free_selector"
    let_time_pass(signing, key_aliases.RESTS_FOR)
    assert key_operations.rotate_key(actor, domain=signing).selector == "mh1"


def test_keys_of_a_domain_that_is_given_up_leave_the_zone(signing):
    with every_tenant("a test gives a domain up"):
        key_operations.destroy_keys(signing, timezone.now())
    [job] = Job.objects.filter(task="dns.tasks.publish_keys", arguments={"domain_id": signing.pk}, finished_at=None)[:1]
    tasks.publish_keys(**job.arguments)

    assert text_at(f"mh1.{signing.uid}.{ZONE}") == ()


def test_publishing_twice_changes_nothing_the_second_time(domain):
    with every_tenant("a test publishes"):
        assert not publish_keys(domain.pk)


def test_a_zone_that_takes_no_update_is_tried_again_and_said(domain, settings, actor):
    settings.MAILHOST_DKIM_ZONE_KEY_SECRET = "d3Jvbmc="
    key_operations.delegate_keys(actor, domain=domain, by_alias=False)

    answer = tasks.publish_keys(domain.pk)

    assert isinstance(answer, Again)
    assert "secret or algorithm is another one" in answer.fault
    assert "d3Jvbmc=" not in answer.fault


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        (lambda domain: ("CNAME", "dkim.elsewhere.example."), "leads to dkim.elsewhere.example, not to mh1."),
        (lambda domain: ("CNAME", f"mh2.{domain.uid}.{ZONE}."), "leads to another key's place"),
        (lambda domain: ("CNAME", f"mh1.{'0' * 20}.{ZONE}."), "keys of another domain, or of an earlier claim"),
        (
            lambda domain: ("CNAME", f"mh1.{domain.uid}.{ZONE}.{domain.domain_name}."),
            "The domain was appended to the target",
        ),
        (lambda domain: ("TXT", "v=DKIM1; k=rsa; p=AAAA"), "A TXT record stands at"),
    ],
    ids=["foreign target", "another selector", "another domain", "appended", "text instead"],
)
def test_mistakes_with_an_alias_are_named(domain, bind, entered, words):
    record_type, value = entered(domain)
    publish(bind, [Published(f"mh1._domainkey.{domain.domain_name}", record_type, value)])

    tasks.check_records(domain.pk)

    [row] = rows(domain, name=f"mh1._domainkey.{domain.domain_name}")
    assert row.status in {"mismatch", "missing"}
    assert words in row.problem
    assert keys(domain) == [("mh1", "pending")]


def test_a_domain_with_keys_of_its_own_keeps_them_until_it_chooses(acme, verified, bind, settings, actor):
    settings.MAILHOST_DKIM_NEW_DOMAINS = "txt"
    domain = verified(acme, f"acme-{secrets.token_hex(4)}.example")
    tasks.make_key(domain.pk)
    tasks.refresh_records(domain.pk)
    enter_records(bind, domain)
    follow(domain)
    [(former, _active)] = keys(domain)
    settings.MAILHOST_DKIM_NEW_DOMAINS = "cname"
    key_operations.rotate_key(actor, domain=domain)
    tasks.refresh_records(domain.pk)
    stayed = {row.record_type for row in rows(domain)}

    key_operations.delegate_keys(actor, domain=domain, by_alias=True)
    follow(domain)
    halfway = [state for selector, state in keys(domain) if selector in {former, "mh1"}]
    enter_records(bind, domain)
    follow(domain)

    assert stayed == {"TXT"}
    assert halfway == ["active", "pending"]
    assert (dict(keys(domain))[former], dict(keys(domain))["mh1"]) == ("retiring", "active")
    assert sorted(row.record_type for row in rows(domain)) == ["CNAME", "CNAME", "CNAME", "TXT"]


def test_back_in_the_domain_only_aliases_that_still_have_a_key_are_asked_for(signing, actor):
    key_operations.delegate_keys(actor, domain=signing, by_alias=False)
    tasks.refresh_records(signing.pk)

    assert sorted(row.record_type for row in rows(signing)) == ["CNAME", "TXT"]
    assert [state for _selector, state in keys(signing)] == ["active", "pending"]


def test_without_a_zone_it_is_not_offered(domain, actor, settings):
    key_operations.delegate_keys(actor, domain=domain, by_alias=False)
    settings.MAILHOST_DKIM_ZONE = ""

    with pytest.raises(Refused) as refused:
        key_operations.delegate_keys(actor, domain=domain, by_alias=True)

    assert refused.value.code == "not_offered"


def test_a_selector_of_an_alias_is_not_imported(domain, actor):
    with pytest.raises(Refused) as refused:
        key_operations.import_key(actor, domain=domain, selector="mh3", private_pem="x")

    assert (refused.value.code, refused.value.field) == ("taken", "selector")


def test_beside_a_key_that_was_imported_under_an_aliases_selector_the_next_one_takes_another(
    acme, verified, bind, settings, actor
):
    settings.MAILHOST_DKIM_ZONE = ""
    domain = verified(acme, f"acme-{secrets.token_hex(4)}.example")
    key_operations.import_key(actor, domain=domain, selector="mh1", private_pem=dkim.make_key().private_pem.decode())
    with every_tenant("a test lets it sign"):
        DkimKey.objects.filter(domain=domain).update(state="active")
    settings.MAILHOST_DKIM_ZONE = ZONE

    key_operations.delegate_keys(actor, domain=domain, by_alias=True)
    tasks.refresh_records(domain.pk)

    assert keys(domain) == [("mh1", "active"), ("mh2", "pending")]
    assert [(row.name.partition(".")[0], row.record_type) for row in rows(domain)] == [
        ("mh1", "TXT"),
        ("mh2", "CNAME"),
        ("mh3", "CNAME"),
    ]


def test_aliases_are_published_into_a_zone_that_is_connected(domain, actor, bind):
    connect_to_server(actor, domain, bind)
    publish_records(actor, domain=domain)
    follow(domain)

    assert keys(domain) == [("mh1", "active")]
